"""Which tracks look alike: a graph of nearest neighbours, never a matrix of all pairs."""

import faiss
import numpy as np

from analyzer.types import F32, I64

NEIGHBOURS = 64


def neighbours(embeddings: F32, threshold: float, k: int = NEIGHBOURS) -> list[tuple[I64, F32]]:
    """The nearest others of each track, no further than ``threshold``.

    Args:
        embeddings: (T, D).
        threshold: Euclidean distance.
        k: most neighbours a track.

    Returns:
        For each track the indices of its neighbours, and their distances, nearest first.
    """
    n, dimensions = embeddings.shape
    if n < 2:
        return [(np.empty(0, np.int64), np.empty(0, np.float32))] * n
    index = faiss.IndexFlatL2(dimensions)
    index.add(np.ascontiguousarray(embeddings))
    # One more: a track is its own nearest neighbour.
    squared, found = index.search(np.ascontiguousarray(embeddings), min(k + 1, n))
    distance = np.sqrt(np.maximum(squared, 0))
    near = (distance < threshold) & (found != np.arange(n)[:, None]) & (found >= 0)
    return [(f[ok], d[ok]) for f, d, ok in zip(found, distance, near, strict=True)]


def rivals(apart: I64, n: int) -> list[list[int]]:
    """For each of n tracks those that are on screen with it, so never the same person."""
    others: list[list[int]] = [[] for _ in range(n)]
    for a, b in apart.tolist():
        others[a].append(b)
        others[b].append(a)
    return others
