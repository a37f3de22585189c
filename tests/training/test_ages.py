"""Age intervals and corrections, on faces of which the truth is known."""

import numpy as np
import pytest

from analyzer.attributes import age_intervals, heads
from analyzer.evaluation.attributes import AGE_CENTRES, Predictions, held
from analyzer.training import _age_densities, _correct
from tests.support.observations import views

PRIOR = np.array([0.02, 0.12, 0.11, 0.3, 0.21, 0.12, 0.07, 0.03, 0.02])


def faces(n: int, seed: int) -> Predictions:
    """Ages that are seen with an error, which a network knows but for the bins of its labels."""
    random = np.random.default_rng(seed)
    labels = random.choice(9, n, p=PRIOR)
    seen = labels + random.normal(0, 0.9, n)
    raw = np.log(PRIOR) - (seen[:, None] - np.arange(9)) ** 2 / (2 * 0.9**2)
    return Predictions(
        size_px=150,
        raw={"age": raw.astype(np.float32)},
        labels={"age": labels},
        views=views(*[150] * n),
    )


def ends(p: Predictions, least: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    raw = p.raw["age"]
    return age_intervals.densest(raw, np.broadcast_to(least, raw.shape))


def by_age(p: Predictions, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    share = held(low, high, p.labels["age"])
    return np.array([share[p.labels["age"] == i].mean() for i in range(9)])


@pytest.fixture(scope="module")
def fresh() -> Predictions:
    return faces(20_000, 1)


@pytest.fixture(scope="module")
def least() -> np.ndarray:
    return _age_densities.fit([faces(4000, 0)])[0]


def test_intervals_hold_every_true_age_as_often(fresh, least):
    """And on average, which is all that the middle of each distribution does."""
    low, high = ends(fresh, least)
    assert by_age(fresh, low, high).min() >= _age_densities.LEAST_HELD
    assert 0.79 <= held(low, high, fresh.labels["age"]).mean() <= 0.85
    middle = heads.age_interval(fresh.raw["age"])
    assert by_age(fresh, *middle).min() < 0.7


def test_other_faces_are_held_too_nine_times_in_ten(fresh):
    tables = [_age_densities.fit([faces(1500, seed)])[0] for seed in range(2, 12)]
    kept = [by_age(fresh, *ends(fresh, least)).min() for least in tables]
    assert np.mean(np.array(kept) >= _age_densities.LEAST_HELD) >= 0.9


def test_more_is_held_by_wider_intervals(fresh):
    calibration = faces(4000, 0)
    lows, highs = [], []
    for share in (0.6, 0.7, 0.8, 0.9):
        low, high = ends(fresh, _age_densities.fit([calibration], share)[0])
        assert by_age(fresh, low, high).min() >= share - 0.04
        lows.append(low)
        highs.append(high)
    assert (np.diff(lows, axis=0) <= 0).mean() > 0.99
    assert (np.diff(highs, axis=0) >= 0).mean() > 0.99


def test_the_fewer_faces_the_more_is_aimed_at():
    aims = _age_densities.aim(np.array([5, 40, 100, 300, 1000, 10**6]))
    assert (np.diff(aims) <= 0).all()
    assert (aims[0], aims[-1]) == (0.96, 0.8)


def test_faces_without_a_label_do_not_matter_and_bins_without_faces_are_held():
    p = faces(1000, 3)
    labels = np.where(np.arange(1000) % 2, -1, p.labels["age"])
    labels[labels == 8] = -1
    half = Predictions(size_px=150, raw=p.raw, labels={"age": labels}, views=p.views)
    rows = labels >= 0
    kept = Predictions(
        size_px=150, raw={"age": p.raw["age"][rows]}, labels={"age": labels[rows]}, views=p.views
    )
    least = _age_densities.fit([half])
    np.testing.assert_array_equal(least, _age_densities.fit([kept]))
    old = p.labels["age"] == 8
    assert by_age(p, *ends(p, least[0]))[8] > 0.99
    assert old.any()


def test_an_adjustment_makes_rare_ages_less_wrong_and_bins_hardly_more():
    p = faces(20_000, 4)
    raw, labels = p.raw["age"].astype(np.float64), p.labels["age"]
    offsets = _correct.prior_offsets(raw, labels)
    assert offsets.sum() == pytest.approx(0)
    assert offsets[8] > offsets[3]

    def figures(values: np.ndarray) -> tuple[float, float]:
        errors = heads.ages(values.astype(np.float32)) - AGE_CENTRES[labels]
        return errors[labels >= 7].mean(), (values.argmax(axis=1) == labels).mean()

    (bias, right), (less, as_right) = figures(raw), figures(raw + offsets)
    assert abs(less) < abs(bias)
    assert as_right >= right - 0.004
