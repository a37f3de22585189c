"""Timestamps and key frames of a whole stream, read without decoding; where to begin decoding."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Any

import numpy as np

from analyzer.stages.decode._clock import MAX_PAUSE_S
from analyzer.stages.decode._pictures import packets
from analyzer.stages.decode._timeline import Timeline
from analyzer.types import F64, I64

_UNKNOWN = -(1 << 62)
"""Stands for a stamp that is missing."""
_MAX_REORDERING_S = 2
"""Largest distance of pictures from the order in which they are decoded."""
_MAX_REORDERED = 32
"""Largest number of pictures by which one is decoded earlier or later than it is shown."""
STEADY_GAP_S = -0.05, 5.0
"""Bounds of the time between the end of a picture and the next one, where a clock may jump: well
within what `analyzer.stages.decode._clock` does not take for a break."""
LIVE_GAP_S = -inf, MAX_PAUSE_S / 2
"""These bounds, where stamps may be those of a live stream."""


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
    is_clear: bool
    """Whether the stamps cannot be guessed from those of decoding: pictures are reordered by
    stamps that say so, or not at all."""

    def times(self, timeline: Timeline) -> list[Fraction]:
        """Return when the pictures are shown, in seconds, ascending."""
        return [timeline.time(stamp * self.time_base) for stamp in self.shown.tolist()]

    def entry(self, number: int, *, before: int) -> int:
        """Return the packet from which to decode so that the pictures around one are right.

        A whole group of pictures is decoded before they are needed: those shown around a key
        frame may refer to what was decoded before it.

        Args:
            number: Number of the first picture that counts, in the order of presentation.
            before: Number of pictures before it that are needed.
        """
        first = self.shown[max(0, number - before)]
        reached = np.nonzero(self.stamps[self.keys] <= first)[0]
        return int(self.keys[reached[-1] - 1]) if len(reached) > 1 else 0


def read_index(
    container: Any,
    stream: Any,
    gaps_s: tuple[float, float] | None,
    alive: Callable[[], None],
    *,
    by_decoding: bool,
) -> PacketIndex | None:
    """Read all packets of a stream.

    Args:
        container: Open container; it is read to its end.
        stream: Stream of the pictures.
        gaps_s: Bounds of the time between the end of a picture and the next one, where the
            container's clock may jump.
        alive: Callback, called with each packet.
        by_decoding: Whether the stamps that count are those of decoding.

    Returns:
        The index; `None` where it does not tell enough to begin in the middle and find what a run
        from the start finds: timestamps are missing, repeat or jump, or the decoder is set up
        again on the way.
    """
    rows: list[tuple[int, int, int, bool, bool]] = []
    for packet in filter(None, packets(container, stream)):
        alive()
        shown = packet.dts if by_decoding else packet.pts
        if shown is None and not packet.size:
            continue
        new_setup = packet.has_sidedata("new_extradata") or packet.has_sidedata("param_change")
        if shown is None or (new_setup and rows):
            return None
        decoded = _UNKNOWN if packet.dts is None else packet.dts
        facts = packet.duration or 0, packet.is_keyframe, packet.is_discard
        rows.append((shown, decoded, *facts))
    if not rows:
        return None
    stamps, decoded_at, lengths, keys, discarded = map(np.array, zip(*rows, strict=True))
    base = Fraction(stream.time_base)
    index = PacketIndex(
        stamps=stamps.astype(np.int64),
        keys=np.nonzero(keys)[0],
        shown=np.sort(stamps[~discarded.astype(bool)]).astype(np.int64),
        time_base=base,
        is_clear=not stream.codec_context.has_b_frames or bool((np.diff(stamps) < 0).any()),
    )
    rate = stream.average_rate or stream.guessed_rate
    shortest = float(1 / Fraction(rate)) if rate else 0.0
    lengths_s = np.where(lengths > 0, lengths * float(base), shortest)
    steady = gaps_s is None or _is_steady(index.stamps, lengths_s, float(base), gaps_s)
    return index if steady and _is_orderly(index, decoded_at) else None


def _is_orderly(index: PacketIndex, decoded_at: I64) -> bool:
    """Return whether the clock never goes back: what seems to is the reordering of decoders.

    Args:
        index: The index.
        decoded_at: (n,) stamp of decoding of each packet, or `_UNKNOWN`.
    """
    stamps = index.stamps
    if len(np.unique(stamps)) != len(stamps) or not len(index.shown):
        return False
    highest = np.maximum.accumulate(stamps)
    back = (highest - stamps) * float(index.time_base)
    ranks = np.empty(len(stamps), np.int64)
    ranks[np.argsort(stamps)] = np.arange(len(stamps))
    moved = np.abs(ranks - np.arange(len(stamps)))
    later = index.keys[index.keys > 0]
    groups_follow = bool((highest[later - 1] < stamps[later]).all())
    known = decoded_at[decoded_at != _UNKNOWN]
    is_near = bool(back.max() <= _MAX_REORDERING_S and moved.max() <= _MAX_REORDERED)
    return is_near and groups_follow and bool((np.diff(known) >= 0).all())


def _is_steady(stamps: I64, lengths_s: F64, base: float, gaps_s: tuple[float, float]) -> bool:
    """Return whether pictures follow each other so closely that the clock shows no break."""
    order = np.argsort(stamps)
    gaps = np.diff(stamps[order]) * base - lengths_s[order][:-1]
    least, most = gaps_s
    return bool(((gaps >= least) & (gaps <= most)).all())
