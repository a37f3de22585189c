"""Joins groups whose centres are nearest, until none are near enough.

Centroid linkage (Sokal and Michener, 1958) on a graph of nearest neighbours, with constraints:
groups that hold tracks on screen at once are never joined.
"""

import heapq
from dataclasses import dataclass

import numpy as np

from analyzer.stages.cluster._graph import neighbours, rivals
from analyzer.types import F32, I64
from analyzer.types.groups import dense, group_means


def merge(labels: I64, embeddings: F32, weights: F32, apart: I64, threshold: float) -> I64:
    """Join groups of tracks, again and again until nothing changes.

    A graph of nearest neighbours alone does not join one person's tracks of two settings where
    each setting has more tracks than a track has neighbours; their centres are each other's.

    Args:
        labels: (T,) group of each track, dense from 0.
        embeddings: (T, D).
        weights: (T,) of each track in the centre of its group.
        apart: (k, 2) pairs of tracks that are never one person.
        threshold: Euclidean distance of centres below which two groups are one.

    Returns:
        (T,) labels, dense from 0.
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
    centre: F32
    weight: float
    members: list[int]
    near: set[int]
    rivals: set[int]


def _join_nearest(centres: F32, weights: F32, apart: I64, threshold: float) -> I64:
    """Join the nearest two groups, of n, as long as there are such: new labels (n,)."""
    groups = _singles(centres, weights, apart, threshold)
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


def _singles(embeddings: F32, weights: F32, apart: I64, threshold: float) -> dict[int, _Group]:
    graph = neighbours(embeddings, threshold)
    others = rivals(apart, len(embeddings))
    groups = {
        i: _Group(embeddings[i], float(weights[i]), [i], set(graph[i][0].tolist()), set(others[i]))
        for i in range(len(embeddings))
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
    one, two = groups.pop(a), groups.pop(b)
    weight = one.weight + two.weight
    centre = (one.centre * one.weight + two.centre * two.weight) / max(weight, 1e-12)
    near = (one.near | two.near) - {a, b}
    for other in near:
        groups[other].near -= {a, b}
        groups[other].near.add(number)
    groups[number] = _Group(
        centre.astype(np.float32), weight, one.members + two.members, near, one.rivals | two.rivals
    )
