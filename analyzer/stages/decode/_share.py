"""The part of a medium that is read: all of it, around a segment, or the share of one shard."""

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction

from analyzer.stages.decode._index import PacketIndex
from analyzer.stages.decode._line import TimedPicture
from analyzer.stages.decode._sampling import Sampling
from analyzer.stages.decode._timeline import Timeline
from joblist.shard import Shard


@dataclass(frozen=True, kw_only=True)
class Share:
    """The shots that begin between two times, to the end of the last of them."""

    begin: Fraction | None = None
    """In seconds; `None`: the beginning of the medium."""
    end: Fraction | None = None
    """In seconds; `None`: the end of the medium."""
    index: PacketIndex | None = None
    """Index to find where decoding can begin; `None`: decode from the start of the medium."""
    first: int | None = None
    """Number of the picture at the beginning; `None`: of the medium."""
    is_empty: bool = False
    """Whether nothing is read at all."""

    @property
    def is_shard(self) -> bool:
        """Whether there are other shares of the same medium."""
        return self.begin is not None or self.end is not None or self.is_empty

    def begins_with(self, picture: TimedPicture) -> bool:
        """Return whether the first shot of the share begins with a picture."""
        return self.begin is not None and picture.cut and picture.time >= self.begin

    def is_over(self, picture: TimedPicture, *, has_begun: bool) -> bool:
        """Return whether a picture comes behind the last shot of the share.

        Args:
            picture: The picture.
            has_begun: Whether a shot of the share came before it.
        """
        is_behind = self.end is not None and picture.time >= self.end
        return is_behind and (picture.cut or not has_begun)

    def entry(self, lookback: int) -> int | None:
        """Return the packet from which to decode; `None`: from the start of the medium.

        Args:
            lookback: Number of pictures that are needed before a cut to find it.
        """
        if self.index is None or self.first is None:
            return None
        return self.index.entry(self.first, before=lookback + 1)


WHOLE = Share()
"""All of a medium."""


def around_segment(index: PacketIndex, *, sampling: Sampling, timeline: Timeline) -> Share:
    """Return the part in which a segment and its margin lie, found without decoding all before.

    Args:
        index: Index of all packets.
        sampling: Rule that selects the pictures; it can seek.
        timeline: Timeline of the stream.
    """
    begin = sampling.begin or Fraction(0)
    return Share(index=index, first=bisect_left(index.times(timeline), begin, key=timeline.due))


def share_of(
    shard: Shard,
    index: PacketIndex | None,
    *,
    sampling: Sampling,
    timeline: Timeline,
    careful: bool,
) -> Share:
    """Return the share of a shard.

    Args:
        shard: The shard.
        index: Index of all packets; without one, the first shard has the whole medium.
        sampling: Rule that selects the pictures.
        timeline: Timeline of the stream.
        careful: Whether to decode from the start, whatever the shard.
    """
    if index is None:
        return Share(is_empty=shard.number > 0)
    times = index.times(timeline)
    low, high = (
        default if t is None else bisect_left(times, t, key=timeline.due)
        for t, default in ((sampling.begin, 0), (sampling.limit, len(times)))
    )
    count = 1
    if low < high:
        count = shard.shares(times[high - 1] - times[low])
    if shard.number >= count:
        return Share(is_empty=True)
    first, behind = (
        low + n * (high - low) // count if 0 < n < count else None
        for n in (shard.number, shard.number + 1)
    )
    # A frame step counts pictures from the start, and how many of them damage has removed is
    # known only after decoding them.
    is_counted = careful or sampling.step
    return Share(
        begin=None if first is None else times[first],
        end=None if behind is None else times[behind],
        index=None if is_counted else index,
        first=first,
    )
