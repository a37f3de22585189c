"""Stage: a medium becomes sampled frames.

In: the path of a medium and the sampling options. Out: `Frame`s in order of time.
Used by the pipeline, by exporters that need pictures again, and by `analyzer.live`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from analyzer.types import U8, Frame, MediaInfo
from joblist.shard import Shard


class Watcher(Protocol):
    """Observer of the pictures that are decoded: it finds cuts and sees what is analysed."""

    lookahead: int
    """See `analyzer.stages.shots.ShotDetector`."""
    lookback: int
    """See `analyzer.stages.shots.ShotDetector`."""

    def update(self, picture: U8, time_s: float) -> list[float]:
        """Take the next picture; see `analyzer.stages.shots.ShotDetector`."""
        ...

    def take(self, picture: U8) -> None:
        """Look at a picture that belongs to what is analysed; its cuts are known by then.

        Args:
            picture: (h, w) uint8, grey, small.
        """
        ...


class Medium(Protocol):
    """One open medium; a context manager."""

    info: MediaInfo
    """Facts about the medium. Its duration is the container's; after decoding, the real one."""
    frames_decoded: int
    """Number of pictures so far that belong to what is analysed, sampled or not."""
    damaged: int
    """Number of damaged packets and pictures so far."""
    missing_s: float
    """Seconds that the container states but does not hold; valid when the frames are at an end."""
    clock_back: int
    """How often the clock of the container went back so far; times run on."""
    clock_ahead: int
    """How often it jumped ahead so far."""
    untimed: int
    """Number of pictures so far that have no stamp of presentation, but one of decoding or none."""
    reached_end: bool
    """Whether what is analysed goes to the end; valid when the frames are at an end."""
    needs_care: bool
    """Whether the frames broke off at a damage: what is decoded behind a damage depends on the
    number of threads, and on where decoding began. Then open the medium again, carefully."""

    def __enter__(self) -> "Medium": ...

    def __exit__(self, *_: object) -> None: ...

    @property
    def range_s(self) -> tuple[float, float]:
        """Approximate begin and end of the frames in seconds, for the display."""
        ...

    def frames(self, watcher: Watcher | None = None) -> Iterator[Frame]:
        """Yield the sampled frames in order of time.

        The frames of a shard are numbered from the first picture that belongs to it.

        Args:
            watcher: Observer that is shown every picture, sampled or not. The first picture of
                each shot that it finds is sampled too, so that a sample never stands for two
                shots.

        Raises:
            InputError: The medium breaks off before the first picture.
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
            path: Path of the medium, or the kind of address that the decoder takes.
            shard: Part of the medium to read; `None`: all of it.
            careful: Whether damaged pictures must come out the same in every run; this is slow.
            alive: Callback, called often during work that yields no frames yet.

        Raises:
            InputError: Missing, empty, not a regular file, without a picture, or over the
                limits of `analyzer.files.source`.
        """
        ...

    def pictures(self, path: Any, times_s: Sequence[float]) -> Iterator[U8 | None]:
        """Find pictures of a medium again, upright and with square pixels.

        Args:
            path: Path as for `open`.
            times_s: Times at which the pictures are shown, in seconds, ascending, as in `Frame`.

        Yields:
            A picture (H, W, 3) RGB for each time; `None` where it is not found.

        Raises:
            InputError: As for `open`.
        """
        ...
