"""Intervals of shares: properties, and what a t interval says where it is right."""

import numpy as np
import pytest

from analyzer.shares.interval import LEAST_CLUSTERS, ratio_interval

RANDOM = np.random.default_rng(5)
WHOLES = RANDOM.lognormal(1, 0.7, 300)
PARTS = WHOLES * RANDOM.beta(0.4, 0.8, 300)


def ends(parts, wholes, **options):
    interval = ratio_interval(parts, wholes, **options)
    assert interval.low is not None
    assert interval.high is not None
    return interval.low, interval.high


def test_neither_unit_nor_empty_clusters_change_it():
    expected = ends(PARTS, WHOLES)
    assert ends(60 * PARTS, 60 * WHOLES) == pytest.approx(expected)
    with_empty = np.append(PARTS, [0, 0]), np.append(WHOLES, [0, 0])
    assert ends(*with_empty) == pytest.approx(expected)


def test_order_changes_no_more_than_the_draws():
    low, high = ends(PARTS, WHOLES)
    turned = ends(PARTS[::-1], WHOLES[::-1])
    assert turned == pytest.approx((low, high), abs=0.1 * (high - low))


def test_the_others_share_has_the_interval_turned_round():
    low, high = ends(PARTS, WHOLES)
    other = ends(WHOLES - PARTS, WHOLES)
    assert other == pytest.approx((1 - high, 1 - low), abs=0.01 * (high - low))


def test_many_even_clusters_give_the_normal_interval():
    parts = RANDOM.beta(4, 4, 5000)
    low, high = ends(parts, np.ones(5000))
    half = 1.96 * parts.std(ddof=1) / np.sqrt(5000)
    assert low == pytest.approx(parts.mean() - half, abs=0.15 * half)
    assert high == pytest.approx(parts.mean() + half, abs=0.15 * half)


def test_faces_of_one_shot_are_one_sample():
    """Twice the faces in each shot are no more shots."""
    assert ends(2 * PARTS, 2 * WHOLES) == pytest.approx(ends(PARTS, WHOLES))
    low, high = ends(PARTS, WHOLES)
    as_more = ends(np.tile(PARTS, 4), np.tile(WHOLES, 4))
    assert as_more[1] - as_more[0] == pytest.approx((high - low) / 2, rel=0.1)


def test_another_error_widens_it():
    low, high = ends(PARTS, WHOLES)
    error = (high - low) / 3.92
    wider = ends(PARTS, WHOLES, spread=error)
    assert wider[1] - wider[0] == pytest.approx(np.sqrt(2) * (high - low), rel=0.02)


@pytest.mark.parametrize("with_group", [0, 1, LEAST_CLUSTERS - 1])
def test_too_few_clusters_give_none(with_group):
    wholes = np.ones(100)
    parts = np.r_[np.ones(with_group), np.zeros(100 - with_group)]
    for each in (parts, 1 - parts):
        interval = ratio_interval(each, wholes)
        assert (interval.low, interval.high, interval.clusters) == (None, None, 100)


def test_no_cluster_at_all():
    assert ratio_interval(np.empty(0), np.empty(0)).clusters == 0
