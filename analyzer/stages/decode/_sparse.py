"""Sampled pictures without decoding all others, to the bit as a full decode gives them.

H.264 says of each picture whether others refer to it. Those to which none does are passed over
unless they are sampled; behind the last sample of a group of pictures nothing is decoded at all, up
to the next key frame with a sample in its group. Other formats do not tell enough.

Where damage is met, or told of by the container, everything is decoded. What only the decoder would
have noticed, in a picture that nobody looks at, is not counted; so broadcasts, which are damaged in
transmission, are decoded whole.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain

import numpy as np
from av.video.frame import PictureType, VideoFrame

from analyzer.stages.decode._index import Index
from analyzer.stages.decode._pictures import DecodedPicture, PictureStream, stamp
from analyzer.stages.decode._sampling import Sampling

CODEC = "h264"


class Doubt(Exception):
    """Something came out of the decoder that the packets did not announce: decode it all."""


@dataclass(frozen=True)
class SparsePlan:
    """What to do with each packet of a stream."""

    skips: tuple[str | None, ...]
    """What the decoder may leave out, by packet; ``None``: it is not given the packet."""
    numbers: dict[Fraction, int]
    """Stamp -> number of each sampled picture and of the last, ascending; stamps in seconds."""
    samples: frozenset[int]
    """Numbers of the sampled pictures."""
    fresh: frozenset[int]
    """Numbers of the packets with which decoding begins anew."""
    keys: tuple[Fraction, ...]
    """Stamps of their pictures, ascending."""
    count: int
    """Of the pictures that the sampling does not cut off."""
    stops: bool
    """Whether it cuts off any."""


def plan(index: Index, sampling: Sampling, origin: Fraction) -> SparsePlan | None:
    """Find out what to decode.

    Args:
        index: of all packets.
        sampling: says which pictures are wanted.
        origin: the container's start time in seconds.

    Returns:
        ``None`` where everything must be decoded.
    """
    shown = [stamp * index.time_base for stamp in index.shown.tolist()]
    count = len(shown)
    if sampling.stop is not None:
        count = bisect_left(shown, sampling.stop + origin)
    if count == 0 or index.keys[0] != 0 or len(index.shown) != len(index.stamps):
        return None
    samples, before = [], None
    for number, time in enumerate(s - origin for s in shown[:count]):
        if sampling.wants(number, time, before):
            samples.append(number)
        before = time
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


def _skips(index: Index, needed: "np.ndarray") -> tuple[tuple[str | None, ...], frozenset[int]]:
    """What may be left out of each packet, and the packets with which decoding begins anew."""
    order = np.argsort(index.stamps)  # number of a picture -> its packet
    packets = order[needed]
    groups = np.searchsorted(index.keys, packets, "right") - 1
    ends = [*index.keys[1:].tolist(), len(index.stamps)]
    reach: dict[int, int] = {}
    for packet, group in zip(packets.tolist(), groups.tolist(), strict=True):
        reach[group] = max(reach.get(group, 0), packet + 1)
        # What is shown before the key frame of its group may refer to the whole group before.
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


def chosen(
    first: DecodedPicture, pictures: PictureStream, wanted: SparsePlan
) -> Iterator[tuple[int, Fraction, VideoFrame]]:
    """Decode by a plan.

    Args:
        first: the picture that was decoded already.
        pictures: that come after it.
        wanted: the plan.

    Yields:
        Number, stamp and picture of each that the plan numbers.

    Raises:
        Doubt: of what else comes out, or does not.
    """
    pictures.choose(wanted.skips, wanted.fresh)
    left, keys = list(reversed(wanted.numbers.values())), list(reversed(wanted.keys))
    for decoded in chain([first], pictures):
        picture, when = decoded.picture, stamp(decoded.picture)
        if decoded.damage or when is None:
            raise Doubt
        # An encoder may call pictures keys that are whole only after some others.
        if keys and when >= keys[-1] and (when, picture.pict_type) != (keys.pop(), PictureType.I):
            raise Doubt
        number = wanted.numbers.get(when)
        if number is None:
            continue
        if not left or left.pop() != number:
            raise Doubt
        yield number, when, picture
        if not left and wanted.stops:
            return
    if left or pictures.left_over:
        raise Doubt
