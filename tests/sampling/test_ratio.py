"""Ratios of a sample: as samplics has them, on the designs of textbooks, and by hand."""

import numpy as np
import pytest

from analyzer.errors import UsageError
from analyzer.sampling import ratio

RNG = np.random.default_rng(22)


def amounts(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of women and of everybody."""
    below = RNG.gamma(2, 20, count)
    return below * RNG.beta(2, 4, count), below


def simple() -> dict[str, np.ndarray]:
    """60 of 1,000 segments."""
    zeros = np.zeros(60, np.int64)
    return {"weight": np.full(60, 1000 / 60), "stratum": zeros, "cluster": np.arange(60)}


def stratified() -> dict[str, np.ndarray]:
    """Three strata, drawn at different rates."""
    stratum = np.repeat([0, 1, 2], [40, 25, 15])
    weight = np.array([10.0, 40.0, 3.5])[stratum]
    return {"weight": weight, "stratum": stratum, "cluster": np.arange(80)}


def two_stage() -> dict[str, np.ndarray]:
    """Films with probability proportional to duration in two strata, four segments of each."""
    stratum = np.repeat(np.repeat([0, 1], [12, 9]), 4)
    cluster = np.repeat(np.arange(21), 4)
    length_s = RNG.lognormal(8, 0.6, 21)[cluster]
    share = length_s / np.array([4e5, 9e5])[stratum]
    weight = 1 / (np.array([12, 9])[stratum] * share) * np.rint(length_s / 60) / 4
    return {"weight": weight, "stratum": stratum, "cluster": cluster}


@pytest.mark.parametrize("design", [simple, stratified, two_stage])
def test_estimate_and_error_are_those_of_samplics(design) -> None:
    samplics = pytest.importorskip("samplics", reason="pip install samplics, with polars 170 MB")
    drawn = design()
    above, below = amounts(len(drawn["weight"]))
    ours = ratio.estimate(above, below, **drawn)
    theirs = samplics.TaylorEstimator(samplics.PopParam.ratio)
    theirs.estimate(
        y=above,
        x=below,
        samp_weight=drawn["weight"],
        stratum=drawn["stratum"],
        psu=drawn["cluster"],
    )
    expected = (theirs.point_est, theirs.stderror, theirs.lower_ci, theirs.upper_ci)
    assert (ours.value, ours.error, *ours.interval()) == pytest.approx(expected, abs=1e-6)


def test_error_by_hand() -> None:
    """Two strata of two clusters each: residuals 1/8, -1/8 and 1/8, -1/8 of a total of 8."""
    above, below = np.array([2.0, 0, 2, 0]), np.array([2.0, 2, 2, 2])
    found = ratio.estimate(above, below, np.ones(4), np.array([0, 0, 1, 1]), np.arange(4))
    assert (found.value, found.degrees) == (0.5, 2)
    assert found.error == pytest.approx(np.sqrt(2 * 2 * (2 * (1 / 8) ** 2)))
    low, high = found.interval()
    assert (low, high) == (0.0, 1.0)
    low, high = found.logit_interval()
    assert 0 < low < 0.5 < high < 1


def test_the_interval_of_a_small_share_stays_above_nothing() -> None:
    found = ratio.Ratio(value=0.01, error=0.006, clusters=100, strata=2, denominator=1.0)
    assert found.interval()[0] == 0
    low, high = found.logit_interval()
    assert 0.002 < low < 0.01 < high < 0.04


def test_doubt_far_above_the_share_gives_no_interval_of_all() -> None:
    """As of a network that takes men for women, where next to nobody is one."""
    found = ratio.Ratio(value=1e-6, error=0.005, clusters=802, strata=2, denominator=1.0)
    low, high = found.logit_interval()
    assert low == 0
    assert high == pytest.approx(1e-6 + 1.963 * 0.005, abs=1e-5)


def test_a_stratum_of_one_cluster_is_refused() -> None:
    ones = np.ones(3)
    with pytest.raises(UsageError, match="one cluster only"):
        ratio.estimate(ones, ones, ones, np.array([0, 0, 1]), np.arange(3))
