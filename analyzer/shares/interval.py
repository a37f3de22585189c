"""Interval of a share from clusters: shots of a film, or films of a collection.

Faces of one shot are alike, so that they are no independent samples: only whole shots are drawn
again. The bootstrap is studentised (Efron and Tibshirani, "An introduction to the bootstrap", 1993,
chapter 12.5; the standard error is that of a ratio, linearised), and done on the logit scale, on
which the spread of a small share depends little on the share itself.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.types import F64

LEVEL = 0.95
"""Probability with which an interval holds the truth."""
RESAMPLES = 1000
LEAST_CLUSTERS = 20
"""Number of clusters with a group, and with others, below which there is no interval.

In the simulation of `benchmarks/shares.py` intervals of fewer hold less than 93 of 100 times.
"""
_CHUNK = 2_000_000


@dataclass(frozen=True)
class Interval:
    """Interval of a share."""

    low: float | None
    """Lower end, 0 to 1; `None` where there are too few clusters."""
    high: float | None
    """Upper end, 0 to 1; `None` where there are too few clusters."""
    clusters: int
    """Number of clusters with anything."""


def ratio_interval(
    parts: F64,
    wholes: F64,
    *,
    seen: F64 | None = None,
    spread: float = 0.0,
    seed: int = 0,
) -> Interval:
    """Return the interval of the share `parts.sum() / wholes.sum()`.

    Args:
        parts: (n,) amount of the group in each cluster.
        wholes: (n,) amount of all groups in each cluster, 0 or more; clusters without any are left
            out.
        seen: (n,) amount of the group's labels in each cluster, if `parts` are corrected: it tells
            whether there are enough clusters.
        spread: Standard error of the share that has another source than the choice of clusters.
        seed: Seed of the resamples.
    """
    used = wholes > 0
    seen = (parts if seen is None else seen)[used]
    parts, wholes = parts[used], wholes[used]
    count = len(wholes)
    whole = wholes.sum()
    share = parts.sum() / whole if count else 0.0
    enough = min((seen > 0).sum(), (seen < wholes).sum()) >= LEAST_CLUSTERS
    if not enough or not 0 < share < 1:
        return Interval(None, None, count)
    error = float(_errors(np.ones((1, count)), parts, wholes)[1][0])
    if error == 0:
        return Interval(share, share, count)
    low, high = _studentised(parts, wholes, share, seed)
    # Errors of other sources are as good as independent of the choice of clusters.
    wider = np.hypot(1, spread / error)
    scale = share * (1 - share)
    centre = _logit(np.array([share]))[0]
    ends = centre - wider * np.array([high, low]) * error / scale
    lower, upper = 1 / (1 + np.exp(-ends))
    return Interval(float(lower), float(upper), count)


def _studentised(parts: F64, wholes: F64, share: float, seed: int) -> tuple[float, float]:
    """Return the quantiles of the share's deviation in standard errors, on the logit scale."""
    random, count = np.random.default_rng(seed), len(parts)
    size = max(1, _CHUNK // count)
    deviations = []
    for start in range(0, RESAMPLES, size):
        rows = min(size, RESAMPLES - start)
        draws = random.multinomial(count, np.full(count, 1 / count), rows).astype(np.float64)
        shares, errors = _errors(draws, parts, wholes)
        inside = (shares > 0) & (shares < 1) & (errors > 0)
        slopes = np.where(inside, shares * (1 - shares), 1)
        shift = _logit(np.where(inside, shares, 0.5)) - _logit(np.array([share]))
        at_end = np.where(shares <= share, -np.inf, np.inf)
        with np.errstate(divide="ignore", invalid="ignore"):
            deviations.append(np.where(inside, shift / (errors / slopes), at_end))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.concatenate(deviations), [tail, 1 - tail], method="nearest")
    return float(low), float(high)


def _errors(draws: F64, parts: F64, wholes: F64) -> tuple[F64, F64]:
    """Return share and standard error of B resamples; draws (B, n) count each cluster."""
    count = len(parts)
    whole = draws @ wholes
    shares = draws @ parts / whole
    squares = (
        draws @ (parts * parts)
        - 2 * shares * (draws @ (parts * wholes))
        + shares**2 * (draws @ (wholes * wholes))
    )
    scale = count / max(1, count - 1)
    return shares, np.sqrt(np.maximum(scale * squares, 0)) / whole


def _logit(share: F64) -> F64:
    return np.asarray(np.log(share / (1 - share)), np.float64)
