"""The confidence sequence: it holds at all times at once, and each bet is made before its draw."""

import numpy as np
import pytest

from analyzer.sampling import sequence

RATIO, BOUND = 0.3, 5.0


def draws(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Faces of women and of all, in a second of each draw."""
    rng = np.random.default_rng(seed)
    below = np.minimum(rng.gamma(2, 0.4, count), BOUND)
    return below * (rng.random(count) < RATIO), below


@pytest.mark.parametrize("reach", [None, 0.05])
def test_it_holds_at_all_times_at_once(reach: float | None) -> None:
    """Faces of a segment are all of women, or all of men: the widest spread there is."""
    held = 0
    for seed in range(400):
        above, below = draws(600, seed)
        stake = sequence.stakes(above, below, reach)
        paths = sequence.capital_paths(above, below, np.array([RATIO]), bound=BOUND, stake=stake)
        held += all(max(up.max(), down.max()) < np.log(40) for up, down in paths)
    # 95 % and three standard errors of 400 runs below.
    assert held / 400 > 0.95 - 3 * np.sqrt(0.95 * 0.05 / 400)


def test_it_narrows_and_never_widens() -> None:
    above, below = draws(2000, 1)
    bounds = sequence.intervals(above, below, bound=BOUND, reach=0.05)
    assert (np.diff(bounds[:, 0]) >= 0).all()
    assert (np.diff(bounds[:, 1]) <= 0).all()
    low, high = bounds[-1]
    assert low < RATIO < high
    assert high - low < 0.14


def test_a_look_changes_nothing() -> None:
    """The interval after 700 draws is the same when 2,000 are there."""
    above, below = draws(2000, 2)
    whole = sequence.intervals(above, below, bound=BOUND)
    early = sequence.intervals(above[:700], below[:700], bound=BOUND)
    assert whole[:700] == pytest.approx(early)


def test_stakes_know_nothing_of_their_own_draw() -> None:
    above, below = draws(50, 3)
    other = above.copy()
    other[30] = below[30] - above[30]
    stakes = [sequence.stakes(values, below, 0.02)[:31] for values in (above, other)]
    assert stakes[0] == pytest.approx(stakes[1])


def test_without_draws_nothing_is_known() -> None:
    none = np.empty(0)
    assert len(sequence.intervals(none, none, bound=BOUND)) == 0
    one = sequence.intervals(np.array([0.0]), np.array([1.0]), bound=BOUND)
    assert one.tolist() == [[0.0, 1.0]]
