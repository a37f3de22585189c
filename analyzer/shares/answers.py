"""Answers of a network in few cells, and groups of people, for tables of what it confuses."""

from collections.abc import Mapping, Sequence

import numpy as np

from analyzer.attributes import heads
from analyzer.attributes.calibration import CHIP_PX, Views
from analyzer.types import F32, F64, I64

AGE_GROUPS: Mapping[str, Sequence[int]] = {
    "under 10": (0, 1),
    "10 to 19": (2,),
    "20 to 39": (3, 4),
    "40 to 59": (5, 6),
    "60 and over": (7, 8),
}
"""Group -> its bins of `analyzer.attributes.heads.AGE_BINS`."""
_AGE_STARTS = heads.AGE_EDGES[[bins[0] for bins in AGE_GROUPS.values()]]
"""(5,) years from which an age belongs to each group."""
GROUPS: Mapping[str, Sequence[str]] = {
    "sex": ("f", "m"),
    "age": tuple(AGE_GROUPS),
    "ethnicity": heads.ETHNICITIES,
}
"""Head -> its groups."""
SIZES_PX = (CHIP_PX, 80, 40, 20)
"""Classes of size: side in pixels of a chip before it was enlarged."""
_LOGITS = np.array([-4, -2.5, -1.5, -0.75, 0, 0.75, 1.5, 2.5, 4])
"""Logits of m against f between the answers for sex."""
_SURE = 0.6
"""Probability from which an answer counts as a sure one."""


def group_of_bin() -> I64:
    """Return the age group (9,) of each bin."""
    return np.repeat(np.arange(len(AGE_GROUPS)), [len(bins) for bins in AGE_GROUPS.values()])


def count(head: str) -> int:
    """Return the number of answers of a head."""
    return len(_LOGITS) + 1 if head == "sex" else 2 * len(GROUPS[head])


def answers(head: str, raw: F32) -> I64:
    """Return the cell (n,) of each face's answer: what it says, and how surely.

    Args:
        head: `sex`, `age` or `ethnicity`.
        raw: (n, k) decision values, none of them NaN.
    """
    if head == "sex":
        return np.searchsorted(_LOGITS, raw[:, 0]).astype(np.int64)
    shares = probabilities(head, raw)
    best = shares.argmax(axis=1)
    return (2 * best + (shares.max(axis=1) >= _SURE)).astype(np.int64)


def observed(head: str, raw: F32) -> I64:
    """Return the group (n,) of `GROUPS` that each face is labelled with, as the csv has it."""
    if head == "sex":
        return (raw[:, 0] > 0).astype(np.int64)
    if head == "age":
        return group_of_bin()[heads.age_bin(raw)]
    return raw.argmax(axis=1).astype(np.int64)


def groups_of_labels(head: str, labels: Sequence[str]) -> I64:
    """Return the group (n,) of each label as it is written to files."""
    if head == "age":
        return np.searchsorted(_AGE_STARTS, np.array(labels, np.float64), side="right") - 1
    return np.array([GROUPS[head].index(label) for label in labels], np.int64)


def probabilities(head: str, raw: F32) -> F64:
    """Return the network's own probability (n, G) of each group of age or ethnicity."""
    values = raw.astype(np.float64)
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    if head == "ethnicity":
        return np.asarray(powers, np.float64)
    starts = [bins[0] for bins in AGE_GROUPS.values()]
    return np.asarray(np.add.reduceat(powers, starts, axis=1), np.float64)


def size_class(views: Views) -> I64:
    """Return the class (n,) of `SIZES_PX` that is nearest to each face's size, by its logarithm."""
    octaves = np.log2(CHIP_PX / np.array(SIZES_PX, np.float64))
    return np.abs(views.octaves[:, None] - octaves).argmin(axis=1)
