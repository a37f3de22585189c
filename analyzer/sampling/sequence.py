"""Confidence sequences of a ratio: intervals that hold at all times, however often looked at.

Each draw bets against each ratio that the archive may have. At the true one, the bettor's capital
is a martingale that begins with 1, and by Ville's inequality it ever reaches 40 with a probability
of at most 2.5 %, on either side. The ratios at which it has not are left (Waudby-Smith and Ramdas,
Estimating means of bounded random variables by betting, JRSS B 86, 2024). A ratio is a mean here:
at the true one, that of above - ratio * below is 0.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analyzer.types import F64

ALPHA = 0.05
GRID = 1001
"""Ratios at which is betted: steps of a tenth of a point."""
BOLDNESS = 0.8
"""Largest part of the capital that one draw may cost."""
_CHUNK = 512
"""Draws at a time: memory is needed for as many rows of the grid."""


@dataclass(frozen=True)
class Earlier:
    """Sums over the draws before some others: all that stakes take from them."""

    count: int = 0
    above: float = 0.0
    below: float = 0.0
    squares: float = 0.0
    """Of the deviations from the ratio before each draw."""


def stakes(above: F64, below: F64, reach: float | None = None) -> F64:
    """Return the stake of each draw (T,), which depends on the draws before it only.

    Args:
        above: Values (T,) above the line, in the order of the draws.
        below: Values (T,) below the line.
        reach: Half of the width at which one wants to stop, which the stakes then suit best;
            `None` for stakes that suit every number of draws.
    """
    return _stakes(above, below, reach, Earlier())[0]


def _stakes(above: F64, below: F64, reach: float | None, earlier: Earlier) -> tuple[F64, Earlier]:
    """Return the stakes of some draws (T,), and the sums up to the last of them."""
    count = earlier.count + np.arange(1, len(above) + 1)
    # As if a draw of half a second of a face in each second had come before all.
    mean = (0.5 + earlier.below + _before(below)) / count
    ratio = (0.25 + earlier.above + _before(above)) / (0.5 + earlier.below + _before(below))
    squares = (above - ratio * below) ** 2
    spread = (0.25 * mean**2 + earlier.squares + _before(squares)) / count
    sums = Earlier(
        earlier.count + len(above),
        earlier.above + float(above.sum()),
        earlier.below + float(below.sum()),
        earlier.squares + float(squares.sum()),
    )
    if reach is not None:
        return reach * mean / spread, sums
    return np.sqrt(2 * np.log(2 / ALPHA) / (spread * count * np.log1p(count))), sums


def _before(values: F64) -> F64:
    """Return the sum (T,) of the values before each one."""
    return np.cumsum(values) - values


def capital_paths(
    above: F64,
    below: F64,
    ratios: F64,
    *,
    bound: float,
    stake: F64,
    capital: tuple[F64, F64] | None = None,
) -> Iterator[tuple[F64, F64]]:
    """Yield logarithms of the capital after each draw, some draws at a time.

    Args:
        above: Values (T,) above the line, in the order of the draws; 0 <= above <= below.
        below: Values (T,) below the line, at most `bound`.
        ratios: Ratios (G,) against which is betted.
        bound: Largest value that there may be below the line.
        stake: Stakes (T,).
        capital: Logarithms of the capital (G,) after earlier draws; `None`: there were none.

    Yields:
        Capital (t, G) of who bets that a ratio is too small, and of who bets that it is too large.
    """
    most = BOLDNESS / bound
    with np.errstate(divide="ignore"):
        most_up, most_down = most / ratios, most / (1 - ratios)
    up, down = capital or (np.zeros(len(ratios)), np.zeros(len(ratios)))
    for start in range(0, len(above), _CHUNK):
        rows = slice(start, start + _CHUNK)
        surplus = above[rows, None] - ratios * below[rows, None]
        wanted = stake[rows, None]
        ups = np.log1p(np.minimum(wanted, most_up) * surplus).cumsum(0) + up
        downs = np.log1p(-np.minimum(wanted, most_down) * surplus).cumsum(0) + down
        up, down = ups[-1], downs[-1]
        yield ups, downs


class RunningSequence:
    """The interval of a ratio while draws come in; it never grows.

    Args:
        bound: Largest value that there may be below the line.
        reach: See `stakes`; the same at each look.
        ratios: Ratios (G,) against which is betted, rising; `None` for all, in tenths of a point.

    Attributes:
        earlier: Sums over the draws so far.
        low: Lower end of the interval after them.
        high: Upper end.
    """

    def __init__(
        self, *, bound: float, reach: float | None = None, ratios: F64 | None = None
    ) -> None:
        self.earlier = Earlier()
        self.low, self.high = 0.0, 1.0
        self._bound, self._reach = bound, reach
        self._ratios = np.linspace(0, 1, GRID) if ratios is None else ratios
        self._capital: tuple[F64, F64] | None = None

    def add(self, above: F64, below: F64) -> F64:
        """Take further draws, and return the interval (T, 2) after each of them.

        Args:
            above: Values (T,) above the line, in the order of the draws; 0 <= above <= below.
            below: Values (T,) below the line, at most the bound.
        """
        limit, bounds = np.log(2 / ALPHA), []
        stake, self.earlier = _stakes(above, below, self._reach, self.earlier)
        for ups, downs in capital_paths(
            above, below, self._ratios, bound=self._bound, stake=stake, capital=self._capital
        ):
            # Where a ratio is too small, so are those below it.
            lows = np.where(ups >= limit, self._ratios, 0.0).max(1)
            highs = np.where(downs >= limit, self._ratios, 1.0).min(1)
            lows = np.maximum.accumulate(np.maximum(lows, self.low))
            highs = np.minimum.accumulate(np.minimum(highs, self.high))
            self.low, self.high = float(lows[-1]), float(highs[-1])
            self._capital = ups[-1].copy(), downs[-1].copy()
            bounds.append(np.stack([lows, highs], 1))
        return np.concatenate(bounds) if bounds else np.empty((0, 2))


def intervals(
    above: F64,
    below: F64,
    *,
    bound: float,
    reach: float | None = None,
    ratios: F64 | None = None,
) -> F64:
    """Return the interval (T, 2) after each of all draws; see `RunningSequence`."""
    return RunningSequence(bound=bound, reach=reach, ratios=ratios).add(above, below)
