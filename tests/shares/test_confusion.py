"""Corrected shares against formulas, a general optimiser, and finite differences."""

import numpy as np
import pytest
from scipy.optimize import minimize

from analyzer.shares import confusion
from analyzer.shares.confusion import Confusion

RANDOM = np.random.default_rng(3)
COUNTS = RANDOM.integers(50, 900, (3, 4, 7)) * (1 + 20 * np.eye(4, 7))


def expected_answers(likelihoods, shares, time):
    """The answers (S, K) of a film with these shares at each size."""
    return time[:, None] * np.einsum("g,sgk->sk", shares, likelihoods)


def test_two_answers_give_the_adjusted_count_of_forman():
    table = Confusion(("f", "m"), np.array([[[900.0, 100], [50, 950]]]))
    likelihoods = table.likelihoods()
    hits, false_alarms = likelihoods[0, 0, 0], likelihoods[0, 1, 0]
    women, men = confusion.prevalence(likelihoods, np.array([[300.0, 700]]))
    assert women == pytest.approx((0.3 - false_alarms) / (hits - false_alarms), abs=1e-6)
    assert men == pytest.approx(1 - women)


def test_it_stays_between_nothing_and_all():
    table = Confusion(("f", "m"), np.array([[[900.0, 100], [100, 900]]]))
    women, _ = confusion.prevalence(table.likelihoods(), np.array([[1.0, 99]]))
    assert women == pytest.approx(0, abs=1e-6)


def test_known_shares_are_found_again():
    likelihoods = Confusion("abcd", COUNTS).likelihoods()
    truth = np.array([0.02, 0.18, 0.3, 0.5])
    answers = expected_answers(likelihoods, truth, np.array([100.0, 40, 7]))
    assert confusion.prevalence(likelihoods, answers) == pytest.approx(truth, abs=1e-4)


def test_a_general_optimiser_finds_the_same():
    likelihoods = Confusion("abcd", COUNTS).likelihoods()
    amounts = RANDOM.gamma(2, 30, (3, 7))

    def misfit(logits):
        shares = np.exp(logits) / np.exp(logits).sum()
        return -(amounts * np.log(np.einsum("g,sgk->sk", shares, likelihoods))).sum()

    best = minimize(misfit, np.zeros(4), method="BFGS", options={"gtol": 1e-7})
    shares = np.exp(best.x) / np.exp(best.x).sum()
    assert confusion.prevalence(likelihoods, amounts) == pytest.approx(shares, abs=1e-4)


def test_influences_are_what_a_little_more_of_an_answer_changes():
    likelihoods = Confusion("abcd", COUNTS).likelihoods()
    truth, time = np.array([0.1, 0.2, 0.3, 0.4]), np.array([100.0, 40, 7])
    amounts = expected_answers(likelihoods, truth, time)
    shares = confusion.prevalence(likelihoods, amounts)
    moves = confusion.influences(likelihoods, amounts, shares)
    assert np.einsum("sk,skg->g", amounts, moves) == pytest.approx(0, abs=0.02)
    more = amounts.copy()
    more[1, 2] += 0.5
    change = confusion.prevalence(likelihoods, more) - shares
    assert change == pytest.approx(0.5 * moves[1, 2] / more.sum(), rel=0.05, abs=1e-5)


def test_more_labelled_faces_make_the_table_surer():
    amounts = RANDOM.gamma(2, 30, (3, 7))
    few = confusion.spread(Confusion("abcd", COUNTS / 10), amounts)
    many = confusion.spread(Confusion("abcd", COUNTS * 10), amounts)
    assert few == pytest.approx(10 * many, rel=0.5)


def shares_along(path, place):
    return (path.top[0] + place * path.top[1]) / (path.bottom[0] + place * path.bottom[1])


@pytest.mark.parametrize("found", [None, np.array([[70.0, 30], [95, 5], [80, 20], [60, 40]])])
def test_paths_begin_at_the_shares_and_go_as_fast_as_they(found):
    table = Confusion("abcd", COUNTS, found=found)
    amounts = expected_answers(
        table.likelihoods(), np.array([0.1, 0.2, 0.3, 0.4]), np.array([100.0, 40, 7])
    )
    of_found = confusion.prevalence(table.likelihoods(), amounts)
    corrected = confusion.corrected(of_found, table)
    for share, path in zip(corrected, confusion.paths(table, amounts, of_found), strict=True):
        assert shares_along(path, 0) == pytest.approx(share)
        assert (shares_along(path, 1e-6) - share) / 1e-6 == pytest.approx(1, rel=1e-3)
        assert shares_along(path, path.place(0.37)) == pytest.approx(0.37)


def test_a_path_is_the_least_favourable_one():
    """Its information is that which is left when all other shares are unknown, too."""
    table = Confusion("abcd", COUNTS)
    truth, time = np.array([0.1, 0.2, 0.3, 0.4]), np.array([100.0, 40, 7])
    amounts = expected_answers(table.likelihoods(), truth, time)
    found = confusion.prevalence(table.likelihoods(), amounts)
    path = confusion.paths(table, amounts, found)[1]
    scores = path.slope / path.base
    more = amounts.copy()
    more[1, 2] += 0.5
    change = (confusion.prevalence(table.likelihoods(), more) - found)[1]
    told = 0.5 * scores.reshape(3, 7)[1, 2] / (more.reshape(-1) @ scores**2)
    assert change == pytest.approx(told, rel=0.05)


def drawn(table, random):
    """Shares from tables that the same counts could have come from as well."""
    cells = random.standard_gamma(table.counts + 0.5)
    likelihoods = cells / cells.sum(axis=2, keepdims=True)
    recall = table.recall()[0]
    if table.found is not None:
        recall = random.beta(table.found[:, 0] + 0.5, table.found[:, 1] + 0.5)
    return likelihoods, recall


@pytest.mark.parametrize(
    "found", [None, np.array([[700.0, 300], [950, 50], [800, 200], [600, 400]])]
)
def test_the_error_of_a_table_is_that_of_tables_drawn_again(found):
    table, random = Confusion("abcd", COUNTS, found=found), np.random.default_rng(9)
    amounts = expected_answers(
        table.likelihoods(), np.array([0.1, 0.2, 0.3, 0.4]), np.array([100.0, 40, 7])
    )
    again = []
    for _ in range(300):
        likelihoods, recall = drawn(table, random)
        whole = confusion.prevalence(likelihoods, amounts) / recall
        again.append(whole / whole.sum())
    of_found = confusion.prevalence(table.likelihoods(), amounts)
    errors = [path.variance**0.5 for path in confusion.paths(table, amounts, of_found)]
    assert errors == pytest.approx(np.std(again, axis=0), rel=0.12)


def test_faces_that_are_not_found_are_made_up_for():
    table = Confusion(
        ("f", "m"), np.array([[[900.0, 100], [100, 900]]]), found=np.array([[60.0, 40], [90, 10]])
    )
    women, men = confusion.corrected(np.array([0.3, 0.7]), table)
    assert women == pytest.approx((0.3 / 0.6) / (0.3 / 0.6 + 0.7 / 0.9), abs=0.005)
    assert women + men == pytest.approx(1)


def test_an_absent_group_has_a_path_too():
    table = Confusion(("f", "m"), np.array([[[900.0, 100], [100, 900]]]))
    amounts = np.array([[5.0, 95]])
    found = confusion.prevalence(table.likelihoods(), amounts)
    path = confusion.paths(table, amounts, found)[0]
    assert path.value(0) == pytest.approx(0, abs=1e-6)
    assert path.slope[0] > 0 > path.slope[1]
