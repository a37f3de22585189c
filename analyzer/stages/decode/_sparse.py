"""Sampled pictures without decoding all others, equal to the bit to those of a full decode.

H.264 states for each picture whether others refer to it. Pictures to which no other refers are
passed over unless they are sampled; behind the last sample of a group of pictures nothing is
decoded at all, up to the next key frame with a sample in its group. Other formats do not tell
enough.

Where damage is met, or stated by the container, everything is decoded. Damage that only the
decoder would have noticed, in a picture that is not needed, is not counted; so broadcasts, which
are damaged in transmission, are decoded whole.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import numpy as np
from av.video.frame import PictureType, VideoFrame

from analyzer.stages.decode._index import PacketIndex
from analyzer.stages.decode._pictures import DecodedPicture, PictureStream
from analyzer.stages.decode._sampling import Sampling
from analyzer.stages.decode._stamps import timestamp
from analyzer.stages.decode._timeline import Timeline
from analyzer.types import I64

CODEC = "h264"
"""Name of the only codec with packets that tell enough."""


class UnexpectedPicture(Exception):
    """Something came out of the decoder that the packets did not announce: decode it all."""


@dataclass(frozen=True)
class SparsePlan:
    """Instructions for each packet of a stream."""

    skips: tuple[str | None, ...]
    """By packet, what the decoder may leave out; `None`: it is not given the packet."""
    numbers: dict[Fraction, int]
    """Timestamp in seconds -> number of each sampled picture and of the last, ascending."""
    samples: frozenset[int]
    """Numbers of the sampled pictures."""
    fresh: frozenset[int]
    """Numbers of the packets with which decoding starts again."""
    keys: tuple[Fraction, ...]
    """Timestamps of the pictures of these packets, in seconds, ascending."""
    count: int
    """Number of the pictures that the sampling does not cut off."""
    stops: bool
    """Whether the sampling cuts off any picture."""


def plan(index: PacketIndex, sampling: Sampling, timeline: Timeline) -> SparsePlan | None:
    """Plan which packets to decode.

    Args:
        index: Index of all packets.
        sampling: Rule that selects the pictures.
        timeline: Timeline of the stream.

    Returns:
        The plan; `None` where everything must be decoded.
    """
    shown = [stamp * index.time_base for stamp in index.shown.tolist()]
    dues = [timeline.due(time) for time in index.times(timeline)]
    count = len(shown)
    if sampling.limit is not None:
        count = bisect_left(dues, sampling.limit)
    if count == 0 or index.keys[0] != 0 or len(index.shown) != len(index.stamps):
        return None
    samples, before = [], None
    for number, due in enumerate(dues[:count]):
        if sampling.wants(number, due, before):
            samples.append(number)
        before = due
    needed = sorted({*samples, count - 1})
    skips, fresh = _skips(index, np.array(needed))
    return SparsePlan(
        skips=skips,
        numbers={shown[number]: number for number in needed},
        samples=frozenset(samples),
        fresh=fresh,
        keys=tuple(sorted(int(index.stamps[packet]) * index.time_base for packet in fresh)),
        count=count,
        stops=count < len(shown),
    )


def _skips(index: PacketIndex, needed: I64) -> tuple[tuple[str | None, ...], frozenset[int]]:
    """Return what may be left out of each packet, and the packets that start decoding again.

    Args:
        index: Index of all packets.
        needed: (n,) numbers of the pictures that must be decoded, ascending.
    """
    order = np.argsort(index.stamps)  # number of a picture -> its packet
    packets = order[needed]
    groups = np.searchsorted(index.keys, packets, "right") - 1
    ends = [*index.keys[1:].tolist(), len(index.stamps)]
    reach: dict[int, int] = {}
    for packet, group in zip(packets.tolist(), groups.tolist(), strict=True):
        reach[group] = max(reach.get(group, 0), packet + 1)
        # A picture shown before the key frame of its group may refer to the whole group before.
        if index.stamps[packet] < index.stamps[index.keys[group]] and group > 0:
            reach[group - 1] = ends[group - 1]
    skips: list[str | None] = [None] * len(index.stamps)
    for group, end in reach.items():
        begin = int(index.keys[group])
        skips[begin:end] = ["NONREF"] * (end - begin)
    for packet in packets.tolist():
        skips[packet] = "DEFAULT"
    fresh = (int(index.keys[g]) for g in reach if g and reach.get(g - 1) != ends[g - 1])
    return tuple(skips), frozenset(fresh)


def decode_planned(
    first: DecodedPicture, pictures: PictureStream, sparse_plan: SparsePlan
) -> Iterator[tuple[int, Fraction, VideoFrame]]:
    """Decode by a plan.

    Args:
        first: Picture that was decoded already.
        pictures: Pictures that come after it.
        sparse_plan: The plan.

    Yields:
        Number, timestamp in seconds, and picture of each that the plan numbers.

    Raises:
        UnexpectedPicture: A picture comes out, or stays out, against the plan.
    """
    pictures.choose(sparse_plan.skips, sparse_plan.fresh)
    numbers = list(reversed(sparse_plan.numbers.values()))
    keys = list(reversed(sparse_plan.keys))
    for decoded in chain([first], pictures):
        picture, shown = decoded.picture, timestamp(decoded.picture)
        if decoded.damage or shown is None:
            raise UnexpectedPicture
        # An encoder may call pictures keys that are whole only after some others.
        if keys and shown >= keys[-1] and (shown, picture.pict_type) != (keys.pop(), PictureType.I):
            raise UnexpectedPicture
        number = sparse_plan.numbers.get(shown)
        if number is None:
            continue
        if not numbers or numbers.pop() != number:
            raise UnexpectedPicture
        yield number, shown, picture
        if not numbers and sparse_plan.stops:
            return
    if numbers or pictures.left_over:
        raise UnexpectedPicture
