"""Assignment where boxes leave a choice, by SciPy."""

from typing import Any

from scipy.optimize import linear_sum_assignment

from analyzer.types import F32, I64


def greatest(gains: F32) -> tuple[I64, I64]:
    """Return the one-to-one assignment with the greatest total gain (Kuhn, 1955).

    Args:
        gains: (m, n) float32.

    Returns:
        Rows in ascending order, and the column of each: two arrays (min(m, n),).
    """
    rows: Any
    columns: Any
    rows, columns = linear_sum_assignment(gains, maximize=True)
    return rows, columns
