"""Stage: every picture of a medium, made small, becomes cuts."""

from typing import Protocol

from analyzer.types import U8


class ShotDetector(Protocol):
    """Finds cuts; one instance for one medium."""

    lookahead: int
    """How many pictures after a cut must be seen before it is told."""
    lookback: int
    """How many pictures before a cut must have been seen; what came earlier changes nothing."""

    def update(self, picture: U8, time_s: float) -> list[float]:
        """Take the next picture, sampled or not.

        Args:
            picture: (h, w) grey, about 128 pixels wide.
            time_s: when it is shown.

        Returns:
            Times of the cuts that it brought to light: of the first picture of each new shot.
        """
        ...
