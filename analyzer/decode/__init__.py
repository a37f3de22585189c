"""Stage: a medium becomes sampled frames."""

from collections.abc import Iterator
from typing import Any, Protocol

from analyzer.types import U8, Frame, MediaInfo


class Watcher(Protocol):
    """Finds cuts, as `analyzer.shots.ShotDetector` does."""

    lookahead: int

    def update(self, picture: U8, time_s: float) -> list[float]: ...


class Medium(Protocol):
    """One open medium; a context manager."""

    info: MediaInfo
    """Its duration is the container's; once all is decoded, what is really there."""
    frames_decoded: int
    """How many pictures the decoder has delivered so far, sampled or not."""
    damaged: int
    """How many packets and pictures so far were damaged."""
    missing_s: float
    """Seconds that the container states but does not hold; known when the frames are at an end."""

    def __enter__(self) -> "Medium": ...

    def __exit__(self, *_: object) -> None: ...

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield the sampled frames in order of time.

        Args:
            watcher: shown every picture, sampled or not. The first picture of each shot that it
                finds is sampled too, so that a sample never stands for two shots.

        Raises:
            InputError: the medium breaks off before the first picture.
        """
        ...

    def close(self) -> None:
        """Release the file and its decoder."""
        ...


class Decoder(Protocol):
    """Opens media; holds the sampling options."""

    def open(self, path: Any) -> Medium:
        """Open one medium: its path, or what else the decoder takes.

        Raises:
            InputError: missing, empty, not a regular file, without a picture, or over the
                limits of `analyzer.source`.
        """
        ...
