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


def test_answers_are_added_up_by_size():
    sums = confusion.amounts(
        np.array([0, 1, 1]), np.array([2, 0, 0]), np.array([1.0, 2, 3]), (2, 3)
    )
    assert sums.tolist() == [[0, 0, 1], [5, 0, 0]]
