"""Agreement of two raters beyond chance: Cohen, "A coefficient of agreement for nominal scales",
Educational and Psychological Measurement 1960; standard error of Fleiss, Cohen and Everitt,
"Large sample standard errors of kappa and weighted kappa", Psychological Bulletin 1969.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

_Z = 1.959964


@dataclass(frozen=True)
class Kappa:
    """Agreement of two raters."""

    value: float | None
    """1: always; 0: as often as by chance; `None` where both use one label alone."""
    low: float | None
    high: float | None
    """Ends of the 95 % interval."""
    agreed: int
    faces: int


def kappa(pairs: Sequence[tuple[str, str]]) -> Kappa:
    """Return how far two raters agree.

    Args:
        pairs: Labels of each face by both.
    """
    names = sorted({label for pair in pairs for label in pair})
    counts = np.zeros((len(names), len(names)))
    for first, second in pairs:
        counts[names.index(first), names.index(second)] += 1
    n, agreed = len(pairs), int(np.trace(counts))
    if len(names) < 2:
        return Kappa(None, None, None, agreed, n)
    shares = counts / n
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    agreement, chance = float(np.trace(shares)), float(rows @ columns)
    value = (agreement - chance) / (1 - chance)
    same = np.diag(shares) @ (1 - (rows + columns) * (1 - value)) ** 2
    sums = (columns[:, None] + rows[None, :]) ** 2
    others = (1 - value) ** 2 * (shares * sums * (1 - np.eye(len(names)))).sum()
    variance = same + others - (value - chance * (1 - value)) ** 2
    error = sqrt(max(0.0, float(variance))) / ((1 - chance) * sqrt(n))
    return Kappa(value, max(-1.0, value - _Z * error), min(1.0, value + _Z * error), agreed, n)
