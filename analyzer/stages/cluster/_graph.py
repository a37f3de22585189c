"""Graph of the tracks that look alike: nearest neighbours, never a matrix of all pairs."""

import faiss
import numpy as np

from analyzer.types import F32, I64

NEIGHBOURS = 64
"""Greatest number of neighbours of a track."""
_EXACT_UP_TO = 20_000
"""So many tracks are compared with all others; of more, with those in the cells around."""
_CELLS_LOOKED_AT = 12
"""Cells that are searched for the neighbours of a track."""
_POINTS_PER_CELL = 64
"""Tracks a cell that the centres of the cells are found with."""
_SEED = 7


def nearest(embeddings: F32, threshold: float, k: int, *, exact: bool = False) -> I64:
    """Return pairs of tracks (m, 2) that are neighbours, each once, the lower index first.

    Args:
        embeddings: (T, D) float32, one row for each track.
        threshold: Euclidean distance.
        k: Greatest number of neighbours of a track that count; it may be one of more tracks.
        exact: Whether no neighbour may be missed.
    """
    n = len(embeddings)
    squared, others = _search(embeddings, min(k + 1, n), exact=exact)
    near = (squared < threshold**2) & (others >= 0)
    first, column = np.nonzero(near)
    second = others[first, column]
    keys = np.unique(np.minimum(first, second) * n + np.maximum(first, second))
    pairs = np.stack([keys // n, keys % n], axis=1)
    return pairs[pairs[:, 0] != pairs[:, 1]]


def _search(embeddings: F32, k: int, *, exact: bool) -> tuple[F32, I64]:
    """Return squared distances and indices (T, k) of the nearest tracks, -1 where there are less.

    Above `_EXACT_UP_TO` tracks the space is divided into cells, and only some cells are searched
    (Jegou, Douze and Schmid, "Product quantization for nearest neighbor search", PAMI 2011), so
    that time grows little faster than the number of tracks.
    """
    rows = np.ascontiguousarray(embeddings)
    n, dimensions = rows.shape
    flat = faiss.IndexFlatL2(dimensions)
    if exact or n <= _EXACT_UP_TO:
        flat.add(rows)
        squared, others = flat.search(rows, k)
        return squared, others
    cells = int(2 * np.sqrt(n))
    index = faiss.IndexIVFFlat(flat, dimensions, cells)
    index.cp.seed, index.cp.niter = _SEED, 6
    index.cp.max_points_per_centroid = _POINTS_PER_CELL
    index.nprobe = _CELLS_LOOKED_AT
    index.train(rows)
    index.add(rows)
    squared, others = index.search(rows, k)
    return squared, others


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
    n = len(embeddings)
    if n < 2:
        return [(np.empty(0, np.int64), np.empty(0, np.float32))] * n
    # One more: a track is its own nearest neighbour.
    squared, others = _search(embeddings, min(k + 1, n), exact=True)
    distance = np.sqrt(np.maximum(squared, 0))
    near = (distance < threshold) & (others != np.arange(n)[:, None]) & (others >= 0)
    return [(i[ok], d[ok]) for i, d, ok in zip(others, distance, near, strict=True)]


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
