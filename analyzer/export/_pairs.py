"""Faces that are on screen together, found by a sweep along the picture's width."""

import numpy as np

from analyzer.types import F32, I64


def in_one_picture(picture: I64, reach: F32) -> tuple[I64, I64]:
    """Return the rows of all pairs of faces of one picture that come near each other.

    Args:
        picture: (n,) number of each face's picture.
        reach: (n, 4) box around all that is drawn for it, pixels.

    Returns:
        First and second row (p,) of each pair; no pair comes twice.
    """
    order = np.lexsort((reach[:, 0], picture))
    picture, reach = picture[order], reach[order]
    ones, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    one = np.arange(len(order))
    for step in range(1, len(order)):
        # In order of their left ends: a face that ends before one begins ends before all others.
        one = one[: np.searchsorted(one, len(order) - step)]
        other = one + step
        beside = (picture[one] == picture[other]) & (reach[other, 0] < reach[one, 2])
        one = one[beside]
        if not len(one):
            break
        other = one + step
        meet = (reach[one, 1] < reach[other, 3]) & (reach[other, 1] < reach[one, 3])
        ones.append(order[one[meet]])
        others.append(order[other[meet]])
    return np.concatenate(ones), np.concatenate(others)


def distinct(one: I64, other: I64) -> tuple[I64, I64]:
    """Return the different pairs (2, u) of numbers (p,) from 0, and how often each comes."""
    width = int(other.max(initial=0)) + 1
    keys, counts = np.unique(one * width + other, return_counts=True)
    return np.stack(np.divmod(keys, width)), counts


def steps(one: I64, other: I64, count: int) -> I64:
    """Return a step (count,) for each node of a graph, so that no neighbours have the same.

    Args:
        one: (p,) first node of each edge.
        other: (p,) second node.
        count: Number of nodes.
    """
    (first, second), _ = distinct(np.minimum(one, other), np.maximum(one, other))
    starts, ends = np.append(first, second), np.append(second, first)
    order = np.argsort(starts, kind="stable")
    bounds = np.searchsorted(starts[order], np.arange(count + 1)).tolist()
    neighbours = ends[order].tolist()
    chosen = [-1] * count
    for node in range(count):
        taken = {chosen[i] for i in neighbours[bounds[node] : bounds[node + 1]]}
        step = 0
        while step in taken:
            step += 1
        chosen[node] = step
    return np.array(chosen, np.int64)
