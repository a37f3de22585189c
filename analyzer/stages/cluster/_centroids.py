"""Joining of the groups with the nearest centres, until none are near enough.

Centroid linkage (Sokal and Michener, 1958) on a graph of nearest neighbours, with constraints:
groups that hold tracks on screen at once are never joined.
"""

import heapq
from dataclasses import dataclass

import numpy as np

from analyzer.stages.cluster._graph import neighbours, rivals_of_tracks
from analyzer.types import F32, I64
from analyzer.types.groups import dense, group_means


def merge(labels: I64, embeddings: F32, weights: F32, apart: I64, threshold: float) -> I64:
    """Join groups of tracks, again and again until nothing changes.

    A graph of nearest neighbours alone does not join one person's tracks of two settings where
    each setting has more tracks than a track has neighbours; but the centres of the two groups are
    neighbours of each other.

    Args:
        labels: (T,) int64, group of each track, dense from 0.
        embeddings: (T, D) float32.
        weights: (T,) float32, weight of each track in the centre of its group.
        apart: (k, 2) int64, pairs of tracks that are never one person.
        threshold: Euclidean distance of centres below which two groups are one.

    Returns:
        (T,) int64, labels, dense from 0.
    """
    while True:
        count = int(labels.max(initial=-1)) + 1
        centres, totals = group_means(embeddings, labels, weights, count)
        pairs = np.unique(np.sort(labels[apart], axis=1), axis=0)
        joined = _join_nearest(centres, totals, pairs, threshold)
        labels = dense(joined[labels])
        if int(joined.max(initial=-1)) + 1 == count:
            return labels


@dataclass
class _Group:
    """A group of the tracks, or of the groups, that are joined."""

    centre: F32
    """(D,)."""
    weight: float
    members: list[int]
    near: set[int]
    """Numbers of the groups that are near enough to be joined."""
    rivals: set[int]
    """Members of other groups that are never the same person."""


def _join_nearest(centres: F32, weights: F32, apart: I64, threshold: float) -> I64:
    """Join the nearest two of n groups, as long as two are near enough.

    Args:
        centres: (n, D) float32.
        weights: (n,) float32, weight of each group.
        apart: (k, 2) int64, pairs of groups that are never joined.
        threshold: Euclidean distance of centres below which two groups are one.

    Returns:
        (n,) int64, new label of each group, dense from 0.
    """
    groups = _initial_groups(centres, weights, apart, threshold)
    queue = [
        (_distance(groups[a], groups[b]), a, b) for a in groups for b in groups[a].near if a < b
    ]
    heapq.heapify(queue)
    number = len(groups)
    while queue:
        _, a, b = heapq.heappop(queue)
        if a not in groups or b not in groups:
            continue
        if groups[a].rivals & set(groups[b].members):
            continue
        _join(groups, a, b, number)
        for other in groups[number].near:
            distance = _distance(groups[number], groups[other])
            if distance < threshold:
                heapq.heappush(queue, (distance, other, number))
        number += 1
    labels = np.empty(len(centres), np.int64)
    for label, group in groups.items():
        labels[group.members] = label
    return dense(labels)


def _initial_groups(centres: F32, weights: F32, apart: I64, threshold: float) -> dict[int, _Group]:
    """Return n groups of one member each, by their numbers; see `_join_nearest`."""
    graph = neighbours(centres, threshold)
    rivals = rivals_of_tracks(apart, len(centres))
    groups = {
        i: _Group(centres[i], float(weights[i]), [i], set(graph[i][0].tolist()), set(rivals[i]))
        for i in range(len(centres))
    }
    # Nearest neighbours need not be mutual; being near is.
    for i, group in groups.items():
        for other in group.near:
            groups[other].near.add(i)
    return groups


def _distance(a: _Group, b: _Group) -> float:
    return float(np.linalg.norm(a.centre - b.centre))


def _join(groups: dict[int, _Group], a: int, b: int, number: int) -> None:
    """Replace two groups by one with a new number."""
    first, second = groups.pop(a), groups.pop(b)
    weight = first.weight + second.weight
    centre = (first.centre * first.weight + second.centre * second.weight) / max(weight, 1e-12)
    near = (first.near | second.near) - {a, b}
    for other in near:
        groups[other].near -= {a, b}
        groups[other].near.add(number)
    groups[number] = _Group(
        centre=centre.astype(np.float32),
        weight=weight,
        members=first.members + second.members,
        near=near,
        rivals=first.rivals | second.rivals,
    )
