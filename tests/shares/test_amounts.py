"""Amounts of shots: who counts where, and that parts add up to the whole."""

from dataclasses import replace

import numpy as np
import pytest

from analyzer.shares import amounts
from analyzer.shares.measure import of_amounts, shares
from analyzer.shares.tables import tables_of
from analyzer.types import Attribute
from tests.support.reports import Face, film_of_shots, make_report

RANDOM = np.random.default_rng(4)
LOGITS = (RANDOM.choice([-3.0, 2.6], 180, p=[0.3, 0.7]) + RANDOM.normal(0, 1.7, 180)).tolist()


def of_measure(report, measure):
    return next(each for each in amounts.of_report(report) if each.measure == measure)


def seen(times, people, *, shots, duration_s):
    """A film with faces of persons at these times, for a second each; person 0 is a woman."""
    faces = [
        Face(n, float(time), (10, 20, 130, 140), track=person, duration_s=1.0)
        for n, (time, person) in enumerate(zip(times, people, strict=True))
    ]
    report = make_report(faces, duration_s=duration_s)
    persons = tuple(
        replace(p, attributes={"sex": Attribute(label="m" if p.person_id else "f", value=0.0)})
        for p in report.persons
    )
    raw = {"sex": np.ones((len(faces), 1), np.float32)}
    return replace(
        report,
        persons=persons,
        shots=np.array(shots, np.float64),
        observations=replace(report.observations, heads=raw),
    )


def test_somebody_counts_once_a_minute():
    """The woman is seen thrice in the first minute and once in the third, a man in the second."""
    film = seen(
        [1, 5, 31, 70, 130], [0, 0, 0, 1, 0], shots=[(0, 30), (30, 90), (90, 180)], duration_s=180
    )
    people = of_measure(film, amounts.PEOPLE_PER_MINUTE)
    assert people.labelled.tolist() == [
        [pytest.approx(2 / 3), 0],
        [pytest.approx(1 / 3), 1],
        [1, 0],
    ]
    assert people.minutes.tolist() == pytest.approx([0.5, 1, 1.5])
    women, men = (s for s in shares(film) if s.measure == amounts.PEOPLE_PER_MINUTE)
    assert (women.per_minute, men.per_minute) == pytest.approx((2 / 3, 1 / 3))
    assert (women.observed, women.amount) == pytest.approx((2 / 3, 1))


def test_a_film_that_is_shorter_than_a_minute_is_one():
    film = seen([1, 2, 3], [0, 1, 0], shots=[(0, 10)], duration_s=10)
    people = of_measure(film, amounts.PEOPLE_PER_MINUTE)
    assert people.labelled.tolist() == [[1, 1]]
    assert people.minutes.tolist() == [1]


def test_a_film_that_begins_later_has_the_same_shares():
    film = film_of_shots(LOGITS, shot_s=3.0)
    table = film.observations
    later = replace(
        film,
        shots=film.shots + 1000,
        observations=replace(table, time_s=table.time_s + 1000),
    )
    assert list(shares(later)) == list(shares(film))


def test_longer_faces_in_a_longer_film_have_the_same_shares():
    film, slow = (film_of_shots(LOGITS, shot_s=2 * pace, seconds=pace) for pace in (1.0, 3.0))
    for one, other in zip(shares(film), shares(slow), strict=True):
        if one.measure == "people_per_minute":
            continue
        assert other.best == pytest.approx(one.best)
        assert (other.interval.low, other.interval.high) == pytest.approx(
            (one.interval.low, one.interval.high)
        )


def test_the_order_of_shots_changes_nothing():
    one, other = (
        {(s.measure, s.group): s for s in shares(film_of_shots(logits, shot_s=60.0))}
        for logits in (LOGITS, LOGITS[::-1])
    )
    for key, share in one.items():
        assert other[key].best == pytest.approx(share.best)
        assert other[key].interval.low == pytest.approx(share.interval.low)
        assert other[key].per_minute == pytest.approx(share.per_minute)


def test_parts_of_a_film_add_up_to_the_whole():
    """Cut on a minute, as segments of an archive are."""
    whole = film_of_shots(LOGITS, shot_s=1.0)
    cuts = [(0, 60), (60, 120), (120, 180)]
    parts = [film_of_shots(LOGITS[start:stop], shot_s=1.0) for start, stop in cuts]
    sums = [[each.total() for each in amounts.of_report(part)] for part in parts]
    together = amounts.of_collection(sums)
    for one, other in zip(together, amounts.of_report(whole), strict=True):
        assert one.total().labelled == pytest.approx(other.total().labelled)
        if one.answers is not None:
            assert one.answers.sum(axis=0) == pytest.approx(other.answers.sum(axis=0))
    expected = {(s.measure, s.group): s for s in shares(whole)}
    for share in of_amounts(together, tables_of(whole.provenance["models"])):
        same = expected[share.measure, share.group]
        assert share.observed == pytest.approx(same.observed)
        assert share.corrected == pytest.approx(same.corrected)
        assert share.amount == pytest.approx(same.amount)
        assert share.per_minute == pytest.approx(same.per_minute)
        assert "films" in share.note
