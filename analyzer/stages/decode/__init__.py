"""Stage: a medium becomes sampled frames."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from analyzer.types import U8, Frame, MediaInfo
from joblist.shard import Shard


class Watcher(Protocol):
    """Finds cuts, as `analyzer.stages.shots.ShotDetector` does, and looks at what is analysed."""

    lookahead: int
    lookback: int

    def update(self, picture: U8, time_s: float) -> list[float]: ...

    def take(self, picture: U8) -> None:
        """Look at a picture (h, w) that belongs to what is analysed; cuts are known by then."""
        ...


class Medium(Protocol):
    """One open medium; a context manager."""

    info: MediaInfo
    """Its duration is the container's; once all is decoded, what is really there."""
    frames_decoded: int
    """How many pictures so far belong to what is analysed, sampled or not."""
    damaged: int
    """How many packets and pictures so far were damaged."""
    missing_s: float
    """Seconds that the container states but does not hold; known when the frames are at an end."""
    reached_end: bool
    """Whether what is analysed goes to the end; known when the frames are at an end."""
    needs_care: bool
    """Whether the frames broke off at a damage: what is decoded behind one depends on the number
    of threads, and on where decoding began. Then open the medium again, carefully."""

    def __enter__(self) -> "Medium": ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def range_s(self) -> tuple[float, float]:
        """Where about the frames begin and end, in seconds, for the display."""
        ...

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield the sampled frames in order of time.

        The frames of a shard are numbered from the first picture that belongs to it.

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

    def open(
        self,
        path: Any,
        *,
        shard: Shard | None = None,
        careful: bool = False,
        alive: Callable[[], None] = lambda: None,
    ) -> Medium:
        """Open one medium.

        Args:
            path: or what else the decoder takes.
            shard: look at this part of it only.
            careful: decode so that damaged pictures always come out the same; slow.
            alive: called often during work that yields no frames yet.

        Raises:
            InputError: missing, empty, not a regular file, without a picture, or over the
                limits of `analyzer.files.source`.
        """
        ...

    def pictures(self, path: Any, times_s: Sequence[float]) -> Iterator[U8 | None]:
        """Find pictures of a medium again, upright and with square pixels.

        Args:
            path: as for `open`.
            times_s: when they are shown, ascending, as `Frame` has it.

        Yields:
            A picture for each time; ``None`` where it is not found.

        Raises:
            InputError: as `open` does.
        """
        ...
