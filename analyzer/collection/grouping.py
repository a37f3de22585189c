"""Group the persons of many media into identities, by numbers of a store, names and faces."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from analyzer.stages.cluster import Clusterer
from analyzer.types import F32, I64, Person
from analyzer.types.groups import dense, group_means
from analyzer.types.media import SAME_TIME_S

Known = tuple[int, str]
"""What tells who somebody is: number in an identity store, or -1, and a name."""
_BLOCK = 4096
"""Rows of a matrix of distances that are held at once."""


def together(persons: Sequence[Person]) -> Iterator[tuple[int, int]]:
    """Yield pairs of persons of one medium, as indices, who are on screen at the same time."""
    stretches = sorted(
        (start, end, number)
        for number, person in enumerate(persons)
        for start, end in person.intervals
    )
    pairs: set[tuple[int, int]] = set()
    on_screen: list[tuple[float, float, int]] = []
    for start, end, number in stretches:
        # Of stills, a stretch has no length.
        on_screen = [
            (began, left, other)
            for began, left, other in on_screen
            if left > start + SAME_TIME_S or abs(began - start) <= SAME_TIME_S
        ]
        pairs.update((min(o, number), max(o, number)) for _, _, o in on_screen if o != number)
        on_screen.append((start, end, number))
    yield from sorted(pairs)


def identities(
    centroids: F32,
    weights: F32,
    known: Sequence[Known | None],
    apart: I64,
    *,
    clusterer: Clusterer,
    threshold: float,
) -> I64:
    """Group persons.

    Those with one number or name are one identity, and those with different ones never are. The
    rest is clustered, and each cluster then joins the nearest identity that is known within the
    threshold, if nobody of both is on screen at the same time.

    Args:
        centroids: (P, D) mean embedding of each person.
        weights: (P,) how much each counts in a mean.
        known: Number or name of each person; `None` = unknown.
        apart: (k, 2) pairs who are on screen at the same time.
        clusterer: For the persons who are unknown.
        threshold: Euclidean distance below which two may be one.

    Returns:
        (P,) identity of each person, dense from 0 in order of first appearance.
    """
    named = np.array([one is not None for one in known], bool)
    labels = np.empty(len(known), np.int64)
    distinct = sorted({one for one in known if one is not None})
    label_of = {one: label for label, one in enumerate(distinct)}
    labels[named] = [label_of[one] for one in known if one is not None]
    labels[~named] = len(distinct) + _clusters(
        centroids[~named], weights[~named], _renumbered(apart, ~named), clusterer, threshold
    )
    if not distinct or named.all():
        return dense(labels)
    count = int(labels.max()) + 1
    centres, _ = group_means(centroids, labels, weights, count)
    joined = np.arange(count)
    groups = _Groups(labels, apart)
    for _, cluster, name in _near(centres[len(distinct) :], centres[: len(distinct)], threshold):
        number = len(distinct) + cluster
        if joined[number] == number and groups.join(number, name):
            joined[number] = name
    return dense(joined[labels])


def _clusters(
    centroids: F32, weights: F32, apart: I64, clusterer: Clusterer, threshold: float
) -> I64:
    if not len(centroids):
        return np.empty(0, np.int64)
    return clusterer.cluster(np.ascontiguousarray(centroids), weights, apart, threshold)


def _renumbered(apart: I64, keep: "np.ndarray") -> I64:
    """Return the pairs within some of the persons, as indices into these."""
    new_number = np.cumsum(keep) - 1
    return new_number[apart[keep[apart].all(axis=1)]].astype(np.int64).reshape(-1, 2)


def _near(clusters: F32, names: F32, threshold: float) -> list[tuple[float, int, int]]:
    """Distance, cluster and name of each pair within the threshold, nearest first."""
    pairs: list[tuple[float, int, int]] = []
    lengths = (names.astype(np.float64) ** 2).sum(axis=1)
    for first in range(0, len(clusters), _BLOCK):
        block = clusters[first : first + _BLOCK].astype(np.float64)
        squared = (block**2).sum(axis=1)[:, None] + lengths - 2 * block @ names.T
        rows, columns = np.nonzero(squared < threshold**2)
        distances = np.sqrt(np.maximum(squared[rows, columns], 0))
        pairs += zip(distances.tolist(), (rows + first).tolist(), columns.tolist(), strict=True)
    return sorted(pairs)


class _Groups:
    """Groups that are joined unless two of their members are on screen at the same time."""

    def __init__(self, labels: I64, apart: I64) -> None:
        self._members: dict[int, list[int]] = defaultdict(list)
        for person, label in enumerate(labels.tolist()):
            self._members[label].append(person)
        self._label = labels.copy()
        self._rivals: dict[int, list[int]] = defaultdict(list)
        for first, other in apart.tolist():
            self._rivals[first].append(other)
            self._rivals[other].append(first)

    def join(self, group: int, other: int) -> bool:
        """Make one group part of another; says whether that is possible."""
        members = self._members[group]
        if any(self._label[rival] == other for m in members for rival in self._rivals[m]):
            return False
        self._label[members] = other
        self._members[other] += self._members.pop(group)
        return True
