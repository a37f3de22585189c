"""Intervals of shares: properties, and what other intervals say where they are right."""

import numpy as np
import pytest

from analyzer.shares.confusion import of_labels
from analyzer.shares.interval import (
    FEW,
    LEAST_CLUSTERS,
    UNEVEN,
    path_interval,
    rate_interval,
    ratio_interval,
)

RANDOM = np.random.default_rng(5)
WHOLES = RANDOM.lognormal(1, 0.7, 300)
PARTS = WHOLES * RANDOM.beta(0.4, 0.8, 300)


def ends(parts, wholes):
    interval = ratio_interval(parts, wholes)
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


def test_neither_unit_nor_empty_clusters_change_it():
    expected = ends(PARTS, WHOLES)
    assert ends(60 * PARTS, 60 * WHOLES) == pytest.approx(expected)
    with_empty = np.append(PARTS, [0, 0]), np.append(WHOLES, [0, 0])
    assert ends(*with_empty) == pytest.approx(expected)


def test_order_changes_nothing():
    assert ends(PARTS[::-1], WHOLES[::-1]) == pytest.approx(ends(PARTS, WHOLES))


def test_the_others_share_has_the_interval_turned_round():
    low, high = ends(PARTS, WHOLES)
    assert ends(WHOLES - PARTS, WHOLES) == pytest.approx((1 - high, 1 - low))


def test_many_even_clusters_give_the_normal_interval():
    parts = RANDOM.beta(4, 4, 5000)
    low, high = ends(parts, np.ones(5000))
    half = 1.96 * parts.std(ddof=1) / np.sqrt(5000)
    assert low == pytest.approx(parts.mean() - half, abs=0.02 * half)
    assert high == pytest.approx(parts.mean() + half, abs=0.02 * half)


def test_independent_faces_give_nearly_the_interval_of_wilson():
    """Where each cluster is one face, it is that of a share of a thousand draws."""
    parts = np.r_[np.ones(30), np.zeros(970)]
    low, high = ends(parts, np.ones(1000))
    assert (low, high) == pytest.approx((0.0211, 0.0425), abs=0.0015)


def test_faces_of_one_shot_are_one_sample():
    """Twice the faces in each shot are no more shots."""
    assert ends(2 * PARTS, 2 * WHOLES) == pytest.approx(ends(PARTS, WHOLES))
    low, high = ends(PARTS, WHOLES)
    as_more = ends(np.tile(PARTS, 4), np.tile(WHOLES, 4))
    assert as_more[1] - as_more[0] == pytest.approx((high - low) / 2, rel=0.03)


@pytest.mark.parametrize("with_group", [0, 1, LEAST_CLUSTERS - 1])
def test_too_few_clusters_give_none(with_group):
    wholes = np.ones(100)
    parts = np.r_[np.ones(with_group), np.zeros(100 - with_group)]
    for each in (parts, 1 - parts):
        interval = ratio_interval(each, wholes)
        assert (interval.low, interval.high, interval.clusters) == (None, None, 100)
        assert interval.reason == FEW


def test_one_shot_that_decides_all_gives_none():
    """A scene of half the film, in which a woman is seen: nobody knows what a second one had."""
    wholes = np.r_[300.0, np.ones(300)]
    parts = np.r_[300.0, np.ones(15), np.zeros(285)]
    interval = ratio_interval(parts, wholes)
    assert (interval.low, interval.reason) == (None, UNEVEN)


def test_no_cluster_at_all():
    assert ratio_interval(np.empty(0), np.empty(0)).clusters == 0


def test_a_rate_has_its_interval_in_any_unit():
    lengths = RANDOM.lognormal(0, 0.5, 400)
    people = RANDOM.poisson(1.7 * lengths).astype(np.float64)
    low, high = rate_interval(people, lengths)
    assert low < people.sum() / lengths.sum() < high
    half = 1.96 * np.sqrt(1.7 / lengths.sum())
    assert (high - low) / 2 == pytest.approx(half, rel=0.15)
    assert rate_interval(people, 60 * lengths) == pytest.approx((low / 60, high / 60))
    assert rate_interval(people[:5], lengths[:5]) is None


def test_intervals_of_rates_hold():
    held = 0
    for _ in range(400):
        lengths = RANDOM.lognormal(0, 0.6, 120)
        of_shot = RANDOM.gamma(2, 0.5, 120)
        low, high = rate_interval(RANDOM.poisson(of_shot * lengths).astype(np.float64), lengths)
        held += low <= 1 <= high
    assert 0.92 <= held / 400 <= 0.98


def test_a_path_of_two_labels_is_a_ratio():
    path = of_labels(float(PARTS.sum() / WHOLES.sum()))
    amounts = np.stack([PARTS, WHOLES - PARTS], axis=1)
    found = path_interval(path, amounts, PARTS)
    assert (found.low, found.high) == pytest.approx(ends(PARTS, WHOLES))
