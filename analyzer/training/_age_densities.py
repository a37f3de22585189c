"""Calibrate age intervals so that they hold each true age as often, however rare it is."""

from collections.abc import Sequence

import numpy as np

from analyzer.attributes import age_intervals, heads
from analyzer.evaluation.attributes import Predictions, held
from analyzer.types import F32, F64, I64

LEAST_HELD = 0.76
"""Share of intervals that must hold the true age on other pictures too, whatever the age."""
_MARGIN = 2.0
"""Standard deviations between that share and the one aimed at, of both sets of pictures."""
_MOST_HELD = 0.96
_SWEEPS, _ROUNDS = 6, 16
_RANGE = (-25.0, 0.0)
"""Logarithms of densities per year, between which the least one is."""


def fit(sizes: Sequence[Predictions], share: float = heads.INTERVAL) -> F64:
    """Return the least densities (s, 9) for `analyzer.attributes.age_intervals.densest`.

    Label-conditional (Mondrian) conformal prediction: Vovk, "Conditional validity of inductive
    conformal predictors", ACML 2012. Each labelled bin has a threshold of its own.

    Args:
        sizes: Predictions on the same pictures at each size.
        share: Of the intervals that hold the true age.
    """
    densities = []
    for p in sizes:
        rows = p.labelled("age")
        densities.append(_least(p.raw["age"][rows], p.labels["age"][rows], share))
    return np.array(densities)


def aim(counts: I64, share: float = heads.INTERVAL) -> F64:
    """Return the share (9,) to be held in each bin.

    Of a bin with few faces it is more: what was measured on them, and what will be on as many
    others, both scatter. Where intervals hold `LEAST_HELD` with that margin, it is what was asked.

    Args:
        counts: (9,) faces in each bin.
        share: What was asked.
    """
    scatter = np.sqrt(2 * share * (1 - share) / np.maximum(counts, 1))
    least = LEAST_HELD - heads.INTERVAL + share
    return np.clip(least + _MARGIN * scatter, share, max(share, _MOST_HELD))


def _least(raw: F32, labels: I64, share: float) -> F64:
    """Return the least densities (9,) at one size.

    Thresholds are interpolated between bins, so each bin's depends on its neighbours': they are
    found in turns.
    """
    members = [np.flatnonzero(labels == i) for i in range(len(heads.AGE_BINS))]
    aims = aim(np.array([len(rows) for rows in members]), share)
    ages, density = heads.ages(raw), age_intervals.log_density(raw)
    least = np.full(len(members), np.mean(_RANGE))
    for _ in range(_SWEEPS):
        for i, rows in enumerate(members):
            least[i] = _least_of(i, ages[rows], density[rows], least, float(aims[i]))
    return least


def _least_of(i: int, ages: F64, density: F64, least: F64, wanted: float) -> float:
    """Return the greatest threshold of bin i with which its n faces are held as wanted.

    Without faces it is the lowest: nothing is known, and every age of the bin may be held.

    Args:
        i: The bin.
        ages: (n,) years that the values of its faces decode to.
        density: (n, 19) `age_intervals.log_density` of its faces.
        least: (9,) thresholds of all bins.
        wanted: Share to hold.
    """
    labels, trial = np.full(len(ages), i), least.copy()
    low, high = _RANGE
    for _ in range(_ROUNDS):
        trial[i] = (low + high) / 2
        ends = age_intervals.around(ages, density, trial)
        enough = len(ages) and held(*ends, labels).mean() >= wanted
        low, high = (float(trial[i]), high) if enough else (low, float(trial[i]))
    return low
