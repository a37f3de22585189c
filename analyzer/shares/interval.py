"""Interval of a share from clusters: shots of a film, or films of a collection.

Faces of one shot are alike, so that they are no independent samples: only whole clusters are left
out and put back. The variance is that of the jackknife over clusters, in the form that allows for
their leverage (HC2: MacKinnon and White, Journal of Econometrics 1985; Bell and McCaffrey, Survey
Methodology 2002), with the degrees of freedom of Satterthwaite (Biometrics Bulletin 1946). The ends
are where the profile likelihood, scaled to that variance, is as small as the t distribution allows
(Rotnitzky and Jewell, Biometrika 1990): a share of few per cent has an error that grows with the
share as far as it comes from few women, and does not as far as it comes from men taken for women,
and the likelihood knows how much of both there is.
"""

import math
from dataclasses import dataclass

import numpy as np

from analyzer import registry
from analyzer.shares.confusion import Path, of_labels
from analyzer.types import F64

LEVEL = 0.95
"""Probability with which an interval holds the truth."""
LEAST_CLUSTERS = 10
"""Number of clusters with a group, and with others, below which there is no interval."""
LEAST_FREEDOM = 4
"""Degrees of freedom below which there is none: a few large clusters decide the share.

In the simulation of `benchmarks/shares.py` intervals of 3 are up to twice as long, and hold more
often than they say.
"""
FEW, UNEVEN = "few", "uneven"
"""Reasons why there is no interval: so few clusters; so few that decide."""
_NEWTON, _HALVINGS = 60, 60


@dataclass(frozen=True)
class Interval:
    """Interval of a share."""

    low: float | None
    """Lower end, 0 to 1; `None` where there are too few clusters."""
    high: float | None
    """Upper end, 0 to 1; `None` where there are too few clusters."""
    clusters: int
    """Number of clusters with anything."""
    reason: str = ""
    """`FEW` or `UNEVEN` where there is no interval."""


def ratio_interval(parts: F64, wholes: F64) -> Interval:
    """Return the interval of the share `parts.sum() / wholes.sum()`.

    Args:
        parts: (n,) amount of the group in each cluster.
        wholes: (n,) amount of all groups in each cluster, 0 or more; clusters without any are left
            out.
    """
    whole = wholes.sum()
    path = of_labels(float(parts.sum() / whole) if whole > 0 else 0.0)
    return path_interval(path, np.stack([parts, wholes - parts], axis=1), parts)


def path_interval(path: Path, amounts: F64, parts: F64) -> Interval:
    """Return the interval of a figure that answers of the network tell.

    Args:
        path: What the answers tell of it.
        amounts: (n, C) amount of each answer in each cluster; clusters without any are left out.
        parts: (n,) amount of the group's labels in each cluster: it tells whether there are enough
            clusters.
    """
    wholes = amounts.sum(axis=1)
    used = wholes > 0
    amounts, parts, wholes = amounts[used], parts[used], wholes[used]
    count = len(wholes)
    if min((parts > 0).sum(), (parts < wholes).sum()) < LEAST_CLUSTERS:
        return Interval(None, None, count, FEW)
    sums = amounts.sum(axis=0)
    cells = sums > 0
    amounts, sums, base, slope = amounts[:, cells], sums[cells], path.base[cells], path.slope[cells]
    best = _most_likely(sums, base, slope)
    base = base + best * slope
    scores = slope / base
    information = float(sums @ scores**2)
    sampled, freedom = _variance(
        amounts @ scores / information, amounts @ scores**2 / information, path.variance
    )
    variance = sampled + path.variance
    if variance == 0:
        return Interval(path.value(best), path.value(best), count)
    if freedom < LEAST_FREEDOM:
        return Interval(None, None, count, UNEVEN)
    limit = _quantile(freedom) ** 2 * variance * information
    lowest, highest = (path.place(share) - best for share in (0.0, 1.0))
    low = _end(sums, base, slope, limit, min(lowest, 0.0))
    high = _end(sums, base, slope, limit, max(highest, 0.0))
    return Interval(path.value(best + low), path.value(best + high), count)


def rate_interval(parts: F64, wholes: F64) -> tuple[float, float] | None:
    """Return the interval of the rate `parts.sum() / wholes.sum()`, which may be above 1.

    It is that of the linearised ratio, on the scale of logarithms; `None` where too few clusters
    decide.

    Args:
        parts: (n,) amount of something in each cluster.
        wholes: (n,) length of each cluster; those without any are left out.
    """
    used = wholes > 0
    parts, wholes = parts[used], wholes[used]
    if (parts > 0).sum() < LEAST_CLUSTERS:
        return None
    rate = parts.sum() / wholes.sum()
    moves = (parts - rate * wholes) / parts.sum()
    variance, freedom = _variance(moves, wholes / wholes.sum(), 0.0)
    if freedom < LEAST_FREEDOM:
        return None
    wider = math.exp(_quantile(freedom) * math.sqrt(variance))
    return float(rate / wider), float(rate * wider)


def _variance(moves: F64, leverage: F64, other: float) -> tuple[float, float]:
    """Return the variance that the choice of clusters adds, and the degrees of freedom of all.

    Args:
        moves: (n,) how far each cluster moves the figure.
        leverage: (n,) share of each cluster in all that is known of the figure.
        other: Variance from elsewhere, taken to be known exactly.
    """
    squares = moves**2 / np.maximum(1 - leverage, 1 / len(moves))
    sampled = float(squares.sum())
    doubt = float((squares**2).sum()) - sampled**2 / len(moves)
    if doubt <= 0:
        return sampled, math.inf
    return sampled, 2 * (sampled + other) ** 2 / doubt


def _quantile(freedom: float) -> float:
    student = registry.module("quantiles", "student")
    return float(student.quantile((1 + LEVEL) / 2, freedom))


def _most_likely(sums: F64, base: F64, slope: F64) -> float:
    """Return the place on a path at which the answers are most probable, beyond 0 and 1 too."""
    with np.errstate(divide="ignore"):
        zeros = -base / slope
    low = float(np.max(zeros[slope > 0], initial=-np.inf))
    high = float(np.min(zeros[slope < 0], initial=np.inf))
    place = 0.0
    for _ in range(_NEWTON):
        scores = slope / (base + place * slope)
        better = place + float(sums @ scores) / float(sums @ scores**2)
        # Outside some answer would be impossible; there the steps are too long.
        better = min(max(better, (place + low) / 2), (place + high) / 2)
        if abs(better - place) < 1e-12:
            break
        place = better
    return place


def _end(sums: F64, base: F64, slope: F64, limit: float, far: float) -> float:
    """Return the place between 0 and `far` at which twice the log likelihood has lost `limit`."""

    def lost(place: float) -> float:
        ratios = 1 + place * slope / base
        return -2 * float(sums @ np.log(ratios)) if ratios.min() > 0 else math.inf

    if lost(far) <= limit:
        return far
    near = 0.0
    for _ in range(_HALVINGS):
        middle = (near + far) / 2
        near, far = (middle, far) if lost(middle) <= limit else (near, middle)
    return near
