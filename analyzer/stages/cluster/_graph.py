"""Graph of the tracks that look alike: nearest neighbours, never a matrix of all pairs."""

import faiss
import numpy as np

from analyzer.types import F32, I64

NEIGHBOURS = 64
"""Greatest number of neighbours of a track."""


def neighbours(embeddings: F32, threshold: float, k: int = NEIGHBOURS) -> list[tuple[I64, F32]]:
    """Return the nearest other tracks of each track, nearer than `threshold`.

    Args:
        embeddings: (T, D) float32, one row for each track.
        threshold: Euclidean distance.
        k: Greatest number of neighbours of a track.

    Returns:
        For each track the indices of its neighbours, int64, and their distances, float32, nearest
        first.
    """
    n, dimensions = embeddings.shape
    if n < 2:
        return [(np.empty(0, np.int64), np.empty(0, np.float32))] * n
    index = faiss.IndexFlatL2(dimensions)
    index.add(np.ascontiguousarray(embeddings))
    # One more: a track is its own nearest neighbour.
    squared, nearest = index.search(np.ascontiguousarray(embeddings), min(k + 1, n))
    distance = np.sqrt(np.maximum(squared, 0))
    near = (distance < threshold) & (nearest != np.arange(n)[:, None]) & (nearest >= 0)
    return [(i[ok], d[ok]) for i, d, ok in zip(nearest, distance, near, strict=True)]


def rivals_of_tracks(apart: I64, n: int) -> list[list[int]]:
    """Return for each of n tracks those that are on screen with it, so never the same person.

    Args:
        apart: (k, 2) int64, pairs of tracks.
        n: Number of tracks.
    """
    rivals: list[list[int]] = [[] for _ in range(n)]
    for a, b in apart.tolist():
        rivals[a].append(b)
        rivals[b].append(a)
    return rivals
