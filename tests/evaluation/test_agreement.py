"""Measures of clusterings against values computed by hand, and against scikit-learn's."""

import numpy as np
import pytest

from analyzer.evaluation import agreement

TRUE = np.array([0, 0, 0, 0, 0, 1, 1, 1, 2, 2])
FOUND = np.array([7, 7, 7, 7, 3, 3, 3, 3, 3, 9])


def test_figures_computed_by_hand():
    """Cells: 4 and 1 of the first, 3 of the second, 1 and 1 of the third."""
    got = agreement.compare(TRUE, FOUND)
    assert (got.items, got.true_groups, got.found_groups) == (10, 3, 3)
    # Pairs together in both: 6 + 3; found together: 6 + 10; together in truth: 10 + 3 + 1.
    assert got.pairs.precision == pytest.approx(9 / 16)
    assert got.pairs.recall == pytest.approx(9 / 14)
    assert got.pairs.f1 == pytest.approx(2 * 9 / (16 + 14))
    assert got.bcubed.precision == pytest.approx((16 / 4 + 1 / 5 + 9 / 5 + 1 / 5 + 1) / 10)
    assert got.bcubed.recall == pytest.approx((16 / 5 + 1 / 5 + 9 / 3 + 1 / 2 + 1 / 2) / 10)
    mutual = sum(
        n / 10 * np.log(10 * n / (row * column))
        for n, row, column in ((4, 5, 4), (1, 5, 5), (3, 3, 5), (1, 2, 5), (1, 2, 1))
    )
    true = -sum(p * np.log(p) for p in (0.5, 0.3, 0.2))
    entropy = -sum(p * np.log(p) for p in (0.4, 0.5, 0.1))
    assert got.nmi == pytest.approx(mutual / np.sqrt(true * entropy))


def test_names_of_groups_mean_nothing():
    got = agreement.compare(TRUE, 5 - TRUE)
    assert (got.pairs.f1, got.bcubed.f1) == (1, 1)
    assert got.nmi == pytest.approx(1)


def test_one_group_for_all_has_all_recall_and_no_information():
    got = agreement.compare(TRUE, np.zeros(10, np.int64))
    assert got.pairs.recall == got.bcubed.recall == 1
    assert got.pairs.precision == pytest.approx(14 / 45)
    assert got.nmi == 0


def test_every_item_alone_has_all_precision():
    got = agreement.compare(TRUE, np.arange(10))
    assert got.pairs.precision == got.bcubed.precision == 1
    assert (got.pairs.recall, got.pairs.f1) == (0, 0)
    assert got.bcubed.recall == pytest.approx(3 / 10)


@pytest.mark.parametrize(("groups", "nmi"), [([0, 0, 0], 1), ([0, 0, 1], 0)])
def test_one_true_group(groups, nmi):
    assert agreement.compare(np.zeros(3, np.int64), np.array(groups)).nmi == nmi


def test_nothing_is_refused():
    with pytest.raises(ValueError, match="0 true"):
        agreement.compare(np.empty(0, np.int64), np.empty(0, np.int64))


@pytest.mark.parametrize("seed", range(5))
def test_equals_scikit_learn(seed):
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(seed)
    true = random.integers(0, 12, 300)
    groups = np.where(random.random(300) < 0.6, true, random.integers(0, 20, 300))
    got = agreement.compare(true, groups)
    (_, only_found), (only_true, both) = metrics.cluster.pair_confusion_matrix(true, groups)
    assert got.pairs.precision == pytest.approx(both / (both + only_found))
    assert got.pairs.recall == pytest.approx(both / (both + only_true))
    nmi = metrics.normalized_mutual_info_score(true, groups, average_method="geometric")
    assert got.nmi == pytest.approx(nmi)


def test_an_item_without_a_group_is_wrong():
    found = np.array([7, 7, 7, 7, -1, 3, 3, -1, -1, 9])
    got = agreement.compare_all(TRUE, found)
    assert (got.items, got.true_groups, got.found_groups) == (10, 3, 3)
    assert got.pairs.precision == 1
    assert got.pairs.recall == pytest.approx((6 + 1) / 14)
    assert got.bcubed.precision == 1
    assert got.bcubed.recall == pytest.approx((16 / 5 + 4 / 3 + 1 / 2) / 10)
    assert 0 < got.nmi < 1


def test_without_a_group_for_any_item_nothing_is_right():
    got = agreement.compare_all(TRUE, np.full(10, -1))
    assert (got.found_groups, got.pairs.f1, got.bcubed.f1) == (0, 0, 0)


def test_with_a_group_for_every_item_nothing_changes():
    assert agreement.compare_all(TRUE, FOUND) == agreement.compare(TRUE, FOUND)
