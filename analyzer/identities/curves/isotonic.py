"""Isotonic regression, by pooling adjacent violators."""

import numpy as np
from scipy.optimize import isotonic_regression

from analyzer.types import F64


def falling(values: F64, weights: F64) -> F64:
    """Return the falling curve (k,) that is nearest to values in the sum of weighted squares.

    Method: pool adjacent violators (Busing, "Monotone Regression: A Simple and Fast O(n) PAVA
    Implementation", Journal of Statistical Software 102, 2022), as SciPy has it.

    Args:
        values: (k,) in the order of what the curve falls with.
        weights: (k,) above 0.
    """
    fitted = isotonic_regression(values, weights=weights, increasing=False)
    return np.asarray(fitted.x, np.float64)
