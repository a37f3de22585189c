"""Intervals that say how far a figure from few samples can be trusted; all at 95 %."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from analyzer.types import F64

_Z = 1.959964
_RESAMPLES = 400


def wilson(successes: Any, counts: Any) -> tuple[F64, F64]:
    """Interval of a share of successes (Wilson, JASA 1927); 0 to 1 where there is no sample."""
    n = np.maximum(np.asarray(counts, np.float64), 1e-9)
    share = np.asarray(successes, np.float64) / n
    centre = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2)) / (1 + _Z**2 / n)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def bootstrap(values: F64) -> tuple[float, float]:
    """Percentile interval of the mean of samples (n,) (Efron, Annals of Statistics 1979)."""
    random = np.random.default_rng(0)
    picks = random.integers(0, len(values), (_RESAMPLES, len(values)))
    low, high = np.percentile(values[picks].mean(axis=1), [2.5, 97.5])
    return float(low), float(high)


def bootstrap_of_ratio(parts: F64, wholes: F64) -> tuple[float, float]:
    """Percentile interval of a share, of which the parts and wholes (n,) are given by person.

    Persons are drawn, not their faces: those of one person are alike.
    """
    random = np.random.default_rng(0)
    picks = random.integers(0, len(parts), (_RESAMPLES, len(parts)))
    shares = parts[picks].sum(axis=1) / np.maximum(wholes[picks].sum(axis=1), 1e-9)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)


def difference(more: Mapping[str, float], less: Mapping[str, float]) -> tuple[float, float]:
    """Interval of the difference of two shares, each with the ends of its Wilson interval.

    Method 10 of Newcombe, "Interval estimation for the difference between independent
    proportions", Statistics in Medicine 1998.

    Args:
        more: `value`, `low` and `high` of the share from which the other is taken.
        less: Those of the other one.
    """
    apart = more["value"] - less["value"]
    below = np.hypot(more["value"] - more["low"], less["high"] - less["value"])
    above = np.hypot(more["high"] - more["value"], less["value"] - less["low"])
    return float(apart - below), float(apart + above)
