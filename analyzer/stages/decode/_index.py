"""Timestamps and key frames of a whole stream, read without decoding; where to begin decoding."""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from analyzer.stages.decode._pictures import packets
from analyzer.stages.decode._sampling import Sampling
from analyzer.types import F64, I64
from joblist.shard import Shard

_MAX_REORDERING_S = 2
"""Largest distance of pictures from the order in which they are decoded."""
_STEADY_GAP_S = -0.05, 5.0
"""Bounds of the time between the end of a picture and the next one: well within what the clock
does not take for a break."""


@dataclass(frozen=True, repr=False)
class PacketIndex:
    """The pictures of a stream, by their packets."""

    stamps: I64
    """(n,) timestamp of each packet's picture, in the order of decoding."""
    keys: I64
    """(k,) numbers of the packets from which decoding can begin, ascending."""
    shown: I64
    """(m,) timestamps of the pictures that a player shows, ascending."""
    time_base: Fraction
    """Seconds for each unit of the timestamps."""

    def share_bounds(
        self, shard: Shard, sampling: Sampling, origin: Fraction
    ) -> tuple[Fraction | None, Fraction | None] | None:
        """Return where a shard's share of the pictures begins and ends, on the player's clock.

        Args:
            shard: The shard.
            sampling: Rule with the start and the stop.
            origin: Start time of the container in seconds.

        Returns:
            Begin and end in seconds; `None` in their place for the beginning of the medium and
            for its end. `None` alone when the shard has no share.
        """
        low, high = (
            None if t is None else bisect_left(self.shown, ceil((t + origin) / self.time_base))
            for t in (sampling.start, sampling.stop)
        )
        in_range = self.shown[low:high]
        count = 1
        if len(in_range):
            count = shard.shares(int(in_range[-1] - in_range[0]) * self.time_base)
        if shard.number >= count:
            return None
        begin, end = (
            int(in_range[n * len(in_range) // count]) * self.time_base - origin
            if 0 < n < count
            else None
            for n in (shard.number, shard.number + 1)
        )
        return begin, end

    def entry(self, timestamp: Fraction, *, before: int) -> int:
        """Return the packet from which to decode so that the pictures around a time are right.

        A whole group of pictures is decoded before they are needed: those shown around a key
        frame may refer to what was decoded before it.

        Args:
            timestamp: Timestamp of the first picture that counts, in seconds.
            before: Number of pictures before it that are needed.
        """
        at = bisect_left(self.shown, ceil(timestamp / self.time_base))
        first = self.shown[max(0, at - before)]
        reached = np.nonzero(self.stamps[self.keys] <= first)[0]
        return int(self.keys[reached[-1] - 1]) if len(reached) > 1 else 0


def read_index(
    container: Any, stream: Any, clock_jumps: bool, alive: Callable[[], None]
) -> PacketIndex | None:
    """Read all packets of a stream.

    Args:
        container: Open container; it is read to its end.
        stream: Stream of the pictures.
        clock_jumps: Whether the container's clock may break off and start again.
        alive: Callback, called with each packet.

    Returns:
        The index; `None` where it does not tell enough to begin in the middle and find what a run
        from the start finds: timestamps are missing, repeat or jump, or the decoder is set up
        again on the way.
    """
    rows: list[tuple[int, int, bool, bool]] = []
    for packet in filter(None, packets(container, stream)):
        alive()
        if packet.pts is None and not packet.size:
            continue
        new_setup = packet.has_sidedata("new_extradata") or packet.has_sidedata("param_change")
        if packet.pts is None or (new_setup and rows):
            return None
        rows.append((packet.pts, packet.duration or 0, packet.is_keyframe, packet.is_discard))
    if not rows:
        return None
    stamps, lengths, keys, discarded = (np.array(column) for column in zip(*rows, strict=True))
    base = Fraction(stream.time_base)
    index = PacketIndex(
        stamps=stamps.astype(np.int64),
        keys=np.nonzero(keys)[0],
        shown=np.sort(stamps[~discarded.astype(bool)]).astype(np.int64),
        time_base=base,
    )
    rate = stream.average_rate or stream.guessed_rate
    shortest = float(1 / Fraction(rate)) if rate else 0.0
    lengths_s = np.where(lengths > 0, lengths * float(base), shortest)
    steady = not clock_jumps or _is_steady(index.stamps, lengths_s, float(base))
    return index if _is_in_order(index) and steady else None


def _is_in_order(index: PacketIndex) -> bool:
    """Return whether no timestamp repeats, or goes back further than decoders reorder pictures."""
    highest = np.maximum.accumulate(index.stamps)
    back = (highest - index.stamps) * float(index.time_base)
    is_unique = len(np.unique(index.stamps)) == len(index.stamps)
    return is_unique and bool(back.max() <= _MAX_REORDERING_S)


def _is_steady(stamps: I64, lengths_s: F64, base: float) -> bool:
    """Return whether pictures follow each other so closely that the clock shows no break."""
    order = np.argsort(stamps)
    gaps = np.diff(stamps[order]) * base - lengths_s[order][:-1]
    least, most = _STEADY_GAP_S
    return bool(((gaps >= least) & (gaps <= most)).all())
