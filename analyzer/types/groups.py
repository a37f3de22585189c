"""Groups of rows: dense numbers for ids, weighted means of groups."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def dense(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number ids (n,) from 0 in order of first appearance."""
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def group_means(
    rows: NDArray[np.float32], group: NDArray[np.int64], weights: NDArray[Any], count: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Average the rows of each group.

    Args:
        rows: (n, D) float32.
        group: (n,) number of each row's group, 0 to `count` - 1.
        weights: (n,) weight of each row, 0 or more.
        count: Number of groups.

    Returns:
        Weighted means (count, D), and summed weights (count,).
    """
    totals = np.bincount(group, weights, count)
    sums = np.zeros((count, rows.shape[1]))
    np.add.at(sums, group, rows * weights[:, None])
    means = sums / np.maximum(totals, 1e-12)[:, None]
    return means.astype(np.float32), totals.astype(np.float32)
