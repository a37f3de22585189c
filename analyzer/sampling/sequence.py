"""Confidence sequences of a ratio: intervals that hold at all times, however often looked at.

Each draw bets against each ratio that the archive may have. At the true one, the bettor's capital
is a martingale that begins with 1, and by Ville's inequality it ever reaches 40 with a probability
of at most 2.5 %, on either side. The ratios at which it has not are left (Waudby-Smith and Ramdas,
Estimating means of bounded random variables by betting, JRSS B 86, 2024). A ratio is a mean here:
at the true one, that of above - ratio * below is 0.
"""

from collections.abc import Iterator

import numpy as np

from analyzer.types import F64

ALPHA = 0.05
GRID = 1001
"""Ratios at which is betted: steps of a tenth of a point."""
BOLDNESS = 0.8
"""Largest part of the capital that one draw may cost."""
_CHUNK = 512
"""Draws at a time: memory is needed for as many rows of the grid."""


def stakes(above: F64, below: F64, reach: float | None = None) -> F64:
    """Return the stake of each draw (T,), which depends on the draws before it only.

    Args:
        above: Values (T,) above the line, in the order of the draws.
        below: Values (T,) below the line.
        reach: Half of the width at which one wants to stop, which the stakes then suit best;
            `None` for stakes that suit every number of draws.
    """
    count = np.arange(1, len(above) + 1)
    # As if a draw of half a second of a face in each second had come before all.
    mean = (0.5 + _before(below)) / count
    ratio = (0.25 + _before(above)) / (0.5 + _before(below))
    spread = (0.25 * mean**2 + _before((above - ratio * below) ** 2)) / count
    if reach is not None:
        return reach * mean / spread
    return np.sqrt(2 * np.log(2 / ALPHA) / (spread * count * np.log1p(count)))


def _before(values: F64) -> F64:
    """Return the sum (T,) of the values before each one."""
    return np.cumsum(values) - values


def capital_paths(
    above: F64, below: F64, ratios: F64, *, bound: float, stake: F64
) -> Iterator[tuple[F64, F64]]:
    """Yield logarithms of the capital after each draw, some draws at a time.

    Args:
        above: Values (T,) above the line, in the order of the draws; 0 <= above <= below.
        below: Values (T,) below the line, at most `bound`.
        ratios: Ratios (G,) against which is betted.
        bound: Largest value that there may be below the line.
        stake: Stakes (T,).

    Yields:
        Capital (t, G) of who bets that a ratio is too small, and of who bets that it is too large.
    """
    most = BOLDNESS / bound
    with np.errstate(divide="ignore"):
        most_up, most_down = most / ratios, most / (1 - ratios)
    up, down = np.zeros(len(ratios)), np.zeros(len(ratios))
    for start in range(0, len(above), _CHUNK):
        rows = slice(start, start + _CHUNK)
        surplus = above[rows, None] - ratios * below[rows, None]
        wanted = stake[rows, None]
        ups = np.log1p(np.minimum(wanted, most_up) * surplus).cumsum(0) + up
        downs = np.log1p(-np.minimum(wanted, most_down) * surplus).cumsum(0) + down
        up, down = ups[-1], downs[-1]
        yield ups, downs


def intervals(
    above: F64,
    below: F64,
    *,
    bound: float,
    reach: float | None = None,
    ratios: F64 | None = None,
) -> F64:
    """Return the interval (T, 2) after each draw; it never grows.

    Args:
        above: Values (T,) above the line, in the order of the draws; 0 <= above <= below.
        below: Values (T,) below the line, at most `bound`.
        bound: Largest value that there may be below the line.
        reach: See `stakes`; the same at each look.
        ratios: Ratios (G,) against which is betted, rising; `None` for all, in tenths of a point.
    """
    ratios, limit = np.linspace(0, 1, GRID) if ratios is None else ratios, np.log(2 / ALPHA)
    stake = stakes(above, below, reach)
    low, high, bounds = 0.0, 1.0, []
    for ups, downs in capital_paths(above, below, ratios, bound=bound, stake=stake):
        # Where a ratio is too small, so are those below it.
        lows = np.where(ups >= limit, ratios, 0.0).max(1)
        highs = np.where(downs >= limit, ratios, 1.0).min(1)
        lows = np.maximum.accumulate(np.maximum(lows, low))
        highs = np.minimum.accumulate(np.minimum(highs, high))
        low, high = lows[-1], highs[-1]
        bounds.append(np.stack([lows, highs], 1))
    return np.concatenate(bounds) if bounds else np.empty((0, 2))
