"""Stage: the pictures of a medium, made small, become cuts.

In: every decoded picture, small and grey. Out: times of cuts.
Used by the pipeline.
"""

from typing import Protocol

from analyzer.types import U8


class ShotDetector(Protocol):
    """Finds cuts; one instance for one medium."""

    lookahead: int
    """Number of pictures after a cut that are needed to find it."""
    lookback: int
    """Number of pictures before a cut that are needed to find it; earlier ones change nothing."""

    def update(self, picture: U8, time_s: float) -> list[float]:
        """Take the next picture, sampled or not.

        Args:
            picture: (h, w) uint8, grey, about 128 pixels wide.
            time_s: Time at which it is shown, in seconds.

        Returns:
            Times of the cuts that are found with this picture, in seconds: those of the first
            picture of each new shot.
        """
        ...
