"""Pictures out of the decoder, with their numbers and times: all of them, or key frames only."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import chain

from analyzer.stages.decode._clock import Clock
from analyzer.stages.decode._index import PacketIndex
from analyzer.stages.decode._line import TimedPicture
from analyzer.stages.decode._pictures import DecodedPicture
from analyzer.stages.decode._share import WHOLE, Share
from analyzer.stages.decode._stream import OpenStream


class AllFrames:
    """Every picture of a stream, or of the part of it around a share.

    Args:
        opened: Stream of which only the first picture was decoded.
        share: The part that is read.
        alive: Callback, called with each packet that is passed over.

    Attributes:
        clock: Clock of the pictures, which knows how often that of the container broke off.
        untimed: Number of pictures without a stamp of presentation.
    """

    def __init__(
        self, opened: OpenStream, share: Share = WHOLE, alive: Callable[[], None] = lambda: None
    ) -> None:
        facts = opened.facts
        self.clock = Clock(facts.timeline, jumps=facts.clock_jumps, is_live=facts.is_live)
        self.untimed = 0
        self._skipped = False
        self._opened, self._share, self._alive = opened, share, alive

    def pictures(self, lookback: int | None) -> Iterator[TimedPicture]:
        """Yield the pictures in order of time, with their numbers in the medium.

        Args:
            lookback: Number of pictures that the watcher needs before a cut; `None`: there is no
                watcher.
        """
        facts, end = self._opened.facts, Fraction(0)
        stamps, first = self._opened.stamps(), None
        for index, decoded in enumerate(self._decoded(lookback)):
            picture = decoded.picture
            if first is None:
                first = self._number(stamps.of(picture)) if self._skipped else 0
            time = self.clock.time(stamps.of(picture), end)
            end = time + self._opened.length(picture)
            self.untimed += stamps.are_guessed
            due = facts.timeline.due(time)
            yield TimedPicture(first + index, picture, time, end, due, decoded.damage)

    def _number(self, stamp: Fraction | None) -> int:
        """Return the number of a picture in the medium."""
        index = self._share.index
        return 0 if index is None else bisect_left(index.shown, (stamp or 0) / index.time_base)

    def _decoded(self, lookback: int | None) -> Iterator[DecodedPicture]:
        """Return the pictures from the start, or from shortly before the share."""
        opened = self._opened
        entry = self._share.entry(lookback or 0)
        if entry is not None and opened.following.skip(entry, self._alive):
            self._skipped = True
            return opened.following
        return chain([opened.first], opened.following)


class KeyFrames(AllFrames):
    """The key frames of a stream; each is a shot.

    The number of a key frame is that of the pictures before it, decoded or not.

    Args:
        opened: Stream; decoded to key frames only where there is an index.
        index: Index of all packets; `None`: all pictures are decoded to find the key frames.
    """

    def __init__(self, opened: OpenStream, index: PacketIndex | None) -> None:
        super().__init__(opened)
        self._index = index

    def pictures(self, lookback: int | None) -> Iterator[TimedPicture]:
        """Yield the key frames in order of time; see `AllFrames.pictures`."""
        if self._index is None:
            yield from self._among_all(lookback)
            return
        timeline, shown = self._opened.facts.timeline, self._index.shown
        stamps = self._opened.stamps()
        last = timeline.time(int(shown[-1]) * self._index.time_base)
        for decoded in self._decoded(lookback):
            picture = decoded.picture
            stamp = stamps.of(picture) or Fraction(0)
            time = timeline.time(stamp)
            number = bisect_left(shown, stamp / self._index.time_base)
            end = max(time, last) + self._opened.length(picture)
            due = timeline.due(time)
            yield TimedPicture(number, picture, time, end, due, decoded.damage, cut=True)

    def _among_all(self, lookback: int | None) -> Iterator[TimedPicture]:
        """Decode all pictures and yield the key frames, each with the end of its group."""
        key: TimedPicture | None = None
        for shown in super().pictures(lookback):
            if shown.picture.key_frame or key is None:
                if key is not None:
                    yield key
                key = replace(shown, cut=True)
            else:
                key.end, key.damage = shown.end, key.damage + shown.damage
        if key is not None:
            yield key
