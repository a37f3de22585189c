"""One interval in years for each distribution of age over the bins."""

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes import heads
from analyzer.attributes.heads import AGE_EDGES
from analyzer.types import F32, F64

AGE_MIDDLES = (AGE_EDGES[:-1] + AGE_EDGES[1:]) / 2
"""(9,) years in the middle of each bin."""

_KNOTS = np.sort(np.concatenate([AGE_EDGES, AGE_MIDDLES]))
"""(19,) years between which logarithms of densities and of thresholds are straight lines."""
_FROM_MIDDLES = np.stack([np.interp(_KNOTS, AGE_MIDDLES, row) for row in np.eye(9)])
"""(9, 19) weights of the values in the middles of the bins, at each knot."""
_LEAST_PROBABILITY = 1e-9


def densest(raw: F32, least: F64) -> tuple[F64, F64]:
    """Return the interval from the first to the last age that is dense enough for its age.

    With one least density for each label, sets of labels are the smallest that hold each label
    equally often: Sadinle, Lei and Wasserman, "Least ambiguous set-valued classifiers with bounded
    error levels", JASA 2019. Here the labels are years: density and threshold are interpolated
    between the bins, and the set is filled up to one interval that holds the age that the values
    decode to.

    Args:
        raw: (n, 9) decision values of age.
        least: (n, 9) logarithm of the least density, per year, in the middle of each bin; the same
            beyond the middles of the first and the last one.

    Returns:
        Lower and upper ends, (n,) each, in years.
    """
    return around(heads.ages(raw), log_density(raw), least)


def around(ages: F64, density: F64, least: F64) -> tuple[F64, F64]:
    """Return the intervals as `densest`, of ages (n,) and the `log_density` (n, 19) around them."""
    above = density - least @ _FROM_MIDDLES
    holds = above >= 0
    low = np.where(holds.any(axis=1), _first(above, holds, _KNOTS), ages)
    high = np.where(holds.any(axis=1), _first(above[:, ::-1], holds[:, ::-1], _KNOTS[::-1]), ages)
    return np.fmin(low, ages), np.fmax(high, ages)


def log_density(raw: F32) -> F64:
    """Return the logarithm (n, 19) of the density per year at the edges and middles of the bins.

    Between two bins it is the mean of theirs.

    Args:
        raw: (n, 9) decision values of age.
    """
    density = np.maximum(heads.probabilities(raw), _LEAST_PROBABILITY) / np.diff(AGE_EDGES)
    edges = np.concatenate(
        [density[:, :1], (density[:, 1:] + density[:, :-1]) / 2, density[:, -1:]], axis=1
    )
    knots = np.empty((len(raw), len(_KNOTS)))
    knots[:, ::2], knots[:, 1::2] = edges, density
    return np.log(knots)


def _first(above: F64, holds: NDArray[np.bool_], knots: F64) -> F64:
    """Return where each row (n, 19), a line between the knots, is first at least 0."""
    rows, reached = np.arange(len(above)), holds.argmax(axis=1)
    before = np.maximum(reached - 1, 0)
    rise = above[rows, reached] - above[rows, before]
    back = np.where(rise > 0, above[rows, reached] / np.where(rise > 0, rise, 1), 0)
    return knots[reached] + back * (knots[before] - knots[reached])
