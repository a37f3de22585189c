"""Stage: a medium becomes sampled frames."""

from collections.abc import Iterator
from typing import Protocol

from analyzer.types import Frame, MediaInfo


class Medium(Protocol):
    """One open medium; a context manager."""

    info: MediaInfo
    frames_decoded: int
    """How many pictures the decoder has delivered so far, sampled or not."""

    def __enter__(self) -> "Medium": ...

    def __exit__(self, *_: object) -> None: ...

    def frames(self) -> Iterator[Frame]:
        """Yield the sampled frames in order of time.

        Raises:
            InputError: the medium breaks off before the first picture.
        """
        ...

    def close(self) -> None:
        """Release the file and its decoder."""
        ...


class Decoder(Protocol):
    """Opens media; holds the sampling options."""

    def open(self, path: str) -> Medium:
        """Open one medium.

        Raises:
            InputError: missing, empty, not a regular file, or without a picture.
        """
        ...
