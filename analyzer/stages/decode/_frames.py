"""Pictures out of the decoder, with their numbers and times: all of them, or key frames only."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import chain

from analyzer.stages.decode._clock import Clock
from analyzer.stages.decode._line import TimedPicture
from analyzer.stages.decode._pictures import DecodedPicture, timestamp
from analyzer.stages.decode._share import WHOLE, Share
from analyzer.stages.decode._stream import OpenStream


class AllFrames:
    """Every picture of a stream, or of the part of it around a share.

    Args:
        opened: Stream of which only the first picture was decoded.
        share: The part that is read.
        alive: Callback, called with each packet that is passed over.
    """

    def __init__(
        self, opened: OpenStream, share: Share = WHOLE, alive: Callable[[], None] = lambda: None
    ) -> None:
        self._opened, self._share, self._alive = opened, share, alive

    def pictures(self, lookback: int | None) -> Iterator[TimedPicture]:
        """Yield the pictures in order of time, numbered from where decoding begins.

        Args:
            lookback: Number of pictures that the watcher needs before a cut; `None`: there is no
                watcher, and decoding begins at the start of the medium.
        """
        facts, end = self._opened.facts, Fraction(0)
        clock = Clock(facts.origin, jumps=facts.clock_jumps)
        for index, decoded in enumerate(self._decoded(lookback)):
            picture = decoded.picture
            time = clock.time(timestamp(picture), end)
            end = time + self._opened.length(picture)
            yield TimedPicture(index, picture, time, end, decoded.damage)

    def _decoded(self, lookback: int | None) -> Iterator[DecodedPicture]:
        """Return the pictures from the start, or from shortly before the share."""
        opened = self._opened
        if lookback is not None:
            entry = self._share.entry(opened.facts.origin, lookback)
            if entry is not None and opened.following.skip(entry, self._alive):
                return opened.following
        return chain([opened.first], opened.following)


class KeyFrames(AllFrames):
    """The key frames of a stream; each is a shot.

    The number of a key frame is that of the pictures before it, decoded or not.

    Args:
        opened: Stream that is decoded to key frames only.
        share: The part that is read.
        alive: Callback, called with each packet that is passed over.
        stamps: Timestamps of all pictures in seconds, ascending.
    """

    def __init__(
        self,
        opened: OpenStream,
        share: Share,
        alive: Callable[[], None],
        stamps: Sequence[Fraction],
    ) -> None:
        super().__init__(opened, share, alive)
        self._stamps = stamps

    def pictures(self, lookback: int | None) -> Iterator[TimedPicture]:
        """Yield the key frames in order of time; see `AllFrames.pictures`."""
        opened, stamps = self._opened, self._stamps
        origin = opened.facts.origin
        for shown in super().pictures(lookback):
            picture = shown.picture
            index = bisect_left(stamps, timestamp(picture) or shown.time + origin)
            end = stamps[-1] - origin + opened.length(picture)
            yield TimedPicture(
                index, picture, shown.time, max(shown.time, end), shown.damage, cut=True
            )
