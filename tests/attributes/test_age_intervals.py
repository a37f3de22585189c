import numpy as np
import pytest

from analyzer.attributes import age_intervals, heads


def logits(*shares: float) -> np.ndarray:
    return np.log(np.maximum([shares], 1e-12)).astype(np.float32)


def densest(raw: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    return age_intervals.densest(raw, np.full(raw.shape, least))


@pytest.fixture
def many() -> np.ndarray:
    return np.random.default_rng(0).normal(0, 4, (2000, 9)).astype(np.float32)


def test_an_interval_ends_where_the_density_falls_below_the_least():
    """0.1 a year in the middle of the bin, 0.05 at its edges, and an exponential between them."""
    raw = logits(0, 0, 0, 1, 0, 0, 0, 0, 0)
    low, high = densest(raw, np.log(0.05 * np.sqrt(2)))
    assert (low[0], high[0]) == (pytest.approx(22.5, abs=0.01), pytest.approx(27.5, abs=0.01))
    low, high = densest(raw, np.log(0.05) - 1e-6)
    assert (low[0], high[0]) == (pytest.approx(20, abs=0.01), pytest.approx(30, abs=0.01))


def test_thresholds_are_interpolated_between_the_bins():
    """The density falls from 0.05 at 30 to that at 35; the threshold rises from -6 to -2."""
    raw, least = logits(0, 0, 0, 1, 0, 0, 0, 0, 0), np.full((1, 9), -6.0)
    least[0, 4] = -2.0
    _, high = age_intervals.densest(raw, least)
    at_30 = np.log(0.05) + 4
    at_35 = np.log(1e-10) + 2
    assert high[0] == pytest.approx(30 + 5 * at_30 / (at_30 - at_35), abs=0.02)


def test_two_peaks_are_in_one_interval():
    low, high = densest(logits(0, 0.5, 0, 0, 0, 0, 0.5, 0, 0), np.log(0.01))
    assert low[0] < 4
    assert high[0] > 57


def test_every_interval_is_one_and_holds_the_age(many):
    for least in (-12, -6, -3, -1, 0):
        low, high = densest(many, least)
        ages = heads.ages(many)
        assert (low >= 0).all()
        assert (low <= ages).all()
        assert (ages <= high).all()
        assert (high <= 100).all()


def test_a_lower_threshold_never_makes_an_interval_shorter(many):
    low, high = densest(many, 0)
    for least in (-1, -2, -4, -8, -16):
        wider_low, wider_high = densest(many, least)
        assert (wider_low <= low).all()
        assert (wider_high >= high).all()
        low, high = wider_low, wider_high


def test_rows_do_not_depend_on_each_other_and_unknown_ones_stay_unknown(many):
    many[5] = np.nan
    low, high = densest(many, -4)
    assert np.isnan([low[5], high[5]]).all()
    assert not np.isnan(np.delete(low, 5)).any()
    for row in (0, 17):
        assert densest(many[[row]], -4) == (low[row], high[row])
    assert [len(end) for end in densest(many[:0], -4)] == [0, 0]
