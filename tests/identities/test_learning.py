"""Suggestions of who may be one, and the threshold that answers teach."""

import json
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.commands._program import main
from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.learning import suggestions
from analyzer.identities.learning.changes import change_of
from analyzer.identities.learning.suggestions import Suggestions
from analyzer.identities.learning.threshold import (
    NEEDED,
    Judgement,
    TooFewAnswers,
    answers_of,
    learn,
)
from analyzer.identities.log.events import Event, Split
from analyzer.identities.records import MediumRecord, Settings

SETTINGS = Settings(model="test", threshold=0.36)


class Films:
    """A store, and the films in it."""

    def __init__(self, folder: Path) -> None:
        self.url = str(folder / "people.identities")
        self.store = open_store(self.url, settings=SETTINGS)
        self.count = 0

    def add(self, *people: np.ndarray) -> list[int]:
        """Add a film with some people; returns their numbers."""
        self.count += 1
        n = len(people)
        medium = MediumRecord(
            path=f"film-{self.count}.mp4", person_ids=tuple(range(n)), milliseconds=(1000,) * n
        )
        return self.store.match_or_add(
            np.array(people, np.float32),
            np.ones(n, np.int64),
            key=str(self.count),
            distinct=True,
            medium=medium,
        ).tolist()

    def say(self) -> Corrections:
        return Corrections(self.store, "ada")

    def suggested(self, **options) -> list[tuple[int, int]]:
        found = Suggestions(self.store, PeopleOfArchive(self.store))
        return [
            (min(one.identity, one.other_identity), max(one.identity, one.other_identity))
            for one in found.nearest(limit=99, **options)
        ]

    def run(self, *words: str) -> int:
        return main(["identities", words[0], self.url, *words[1:]])


@pytest.fixture
def films(tmp_path: Path) -> Iterator[Films]:
    opened = Films(tmp_path)
    yield opened
    opened.store.close()


def axis(number: int) -> np.ndarray:
    return np.eye(64)[number]


def away(number: int, distance: float, to: int = 40) -> np.ndarray:
    """A face so far from that of a number, in a direction of its own."""
    cosine = 1 - distance**2 / 2
    return cosine * axis(number) + np.sqrt(1 - cosine**2) * axis(to)


def test_pairs_are_suggested_by_their_distance_with_the_margin_to_the_next(films: Films) -> None:
    films.add(axis(0))
    films.add(away(0, 0.40, to=40))
    films.add(away(0, 0.44, to=41))
    films.add(axis(1))
    films.add(away(1, 0.38, to=42))
    people = PeopleOfArchive(films.store)
    first, second, third, *rest = Suggestions(films.store, people).nearest(limit=9)
    assert (first.identity, first.other_identity, first.distance) == (3, 4, 0.38)
    assert (second.identity, second.other_identity, second.distance) == (0, 1, 0.40)
    assert (third.identity, third.other_identity, third.distance) == (0, 2, 0.44)
    assert second.margin == pytest.approx(0.04)
    assert third.margin == pytest.approx(-0.04)
    assert first.margin is None
    assert rest == [], "1.5 times the threshold is 0.54, and 1 and 2 are farther"
    assert films.suggested(within=0.39) == [(3, 4)]


def test_no_pair_is_offered_that_was_answered_or_is_told_apart(films: Films) -> None:
    films.add(axis(0), away(0, 0.37))
    films.add(axis(1))
    films.add(away(1, 0.38, to=41))
    films.add(axis(2))
    films.add(away(2, 0.39, to=42))
    assert films.suggested() == [(2, 3), (4, 5)], "0 and 1 are in one film"
    films.say().say_different(3, 2)
    assert films.suggested() == [(4, 5)]
    films.say().name(4, "Ada")
    films.say().name(5, "Grace")
    assert films.suggested() == []
    films.say().name(5, "Ada")
    assert films.suggested() == [(4, 5)]
    films.say().merge(5, 4)
    assert films.suggested() == []
    films.say().undo(1)
    assert films.suggested() == [(2, 3)]


def test_merged_people_are_as_near_as_the_nearest_of_them(films: Films) -> None:
    for face in (axis(0), away(0, 0.8, to=40), axis(3)):
        films.add(face)
    near_other = away(0, 0.8, to=40) + 0.38 * axis(41)
    films.add(near_other / np.linalg.norm(near_other))
    assert films.suggested() == [(1, 3)]
    films.say().merge(0, 1)
    assert films.suggested() == [(0, 3)]
    films.say().merge(2, 0)
    films.say().say_different(2, 3)
    distances = [event.action.distance for event in films.store.people().events]
    assert distances[:2] == pytest.approx([0.8, 1.0], abs=0.45)
    assert distances[2] == pytest.approx(0.37, abs=0.02), "as they were offered"


@pytest.mark.parametrize("kept", [3, 10_000])
def test_suggestions_are_those_of_a_plain_search(
    films: Films, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(suggestions, "MOST_PAIRS", kept)
    monkeypatch.setattr(suggestions, "_AT_ONCE", 7)
    random = np.random.default_rng(1)
    for _ in range(12):
        films.add(*random.normal(size=(4, 5)))
    films.say().merge(0, 9) if films.store.get(9) else None
    archive = PeopleOfArchive(films.store)
    persons = [person.identity for person in archive.most("identity")]
    means = {p: [films.store.get(m).centroid for m in archive.log.members(p)] for p in persons}
    expected = sorted(
        (min(float(np.linalg.norm(a - b)) for a in means[one] for b in means[other]), one, other)
        for one, other in combinations(persons, 2)
    )
    within = 0.8
    plain = [
        (one, other) for d, one, other in expected[:kept] if d < within
        and not archive.shared_media(one, other)
    ]  # fmt: skip
    assert films.suggested(within=within)[: len(plain)] == plain
    assert plain


def test_in_a_large_archive_who_is_seen_most_is_compared(
    films: Films, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(suggestions, "_COMPARISONS", 4)
    for face in (axis(0), axis(1), axis(1), away(1, 0.38), away(0, 0.38, to=41)):
        films.add(face)
    assert films.suggested() == [(1, 2)]
    assert Suggestions(films.store, PeopleOfArchive(films.store)).is_partial()


def test_same_keeps_the_number_of_the_better_known(
    films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    films.add(axis(0), axis(1))
    films.add(away(0, 0.38), away(1, 0.37, to=42))
    films.add(away(1, 0.37, to=42), axis(2))
    films.add(away(2, 0.38, to=43))
    assert films.run("same", "1", "3") == 0
    assert "event 1: 1 is the same person as 3" in capsys.readouterr().out, "3 is in more films"
    films.say().name(5, "Ada")
    assert films.run("same", "4", "Ada") == 0
    assert "event 3: 4 is the same person as 5" in capsys.readouterr().out
    assert films.run("same", "0", "3") == 2
    assert "both are" not in capsys.readouterr().out
    assert films.run("same", "0", "1") == 2
    assert "were told apart: `merge`" in capsys.readouterr().err
    films.say().name(0, "Grace")
    assert films.run("same", "0", "Ada") == 2
    assert "5 is Ada, and 0 Grace: `merge`" in capsys.readouterr().err
    assert films.run("same", "4", "5") == 2
    assert "one person: name two" in capsys.readouterr().err
    assert len(films.store.people().events) == 4


def test_answers_are_what_holds_of_merges_differences_and_splits(films: Films) -> None:
    films.add(axis(0))
    films.add(away(0, 0.2))
    films.add(axis(1))
    films.add(away(1, 0.4, to=41))
    assert films.store.get(0).media == 2
    films.say().merge(1, 2)
    films.say().undo(1)
    films.say().say_different(1, 2)
    films.say().split(0, [(2, 0)])
    events = films.store.people().events
    learnt = [(one.event, one.is_same, round(one.distance, 3)) for one in answers_of(events)]
    assert learnt == [(3, False, 0.4), (4, False, 0.2)]
    films.say().undo(4)
    assert [one.event for one in answers_of(films.store.people().events)] == [3]
    packed = json.loads(events[3].pack())
    del packed["distance"]
    older = Event.unpack(4, json.dumps(packed).encode())
    assert isinstance(older.action, Split)
    assert answers_of([*events[:3], older]) == answers_of(events[:3])
    films.say().say_different(2, 1)
    assert [one.event for one in answers_of(films.store.people().events)] == [6], "once a pair"
    films.say().forget([1])
    assert answers_of(films.store.people().events) == []


def made_up(same: list[float], different: list[float]) -> list[Judgement]:
    told = [(d, True) for d in same] + [(d, False) for d in different]
    return [Judgement(event=n, distance=d, is_same=s) for n, (d, s) in enumerate(told, 1)]


def wrong(answers: list[Judgement], threshold: float) -> int:
    return sum(one.is_same != (one.distance < threshold) for one in answers)


hundredths = st.integers(20, 70).map(lambda n: n / 100)
many = st.lists(hundredths, min_size=NEEDED, max_size=NEEDED + 30)


@settings(max_examples=40, deadline=None, derandomize=True, database=None)
@given(same=many, different=many)
def test_no_other_threshold_is_wrong_less_often(same: list[float], different: list[float]) -> None:
    answers = made_up(same, different)
    candidates = [0.0, *(n / 1000 for n in range(195, 715, 5)), 2.0]
    best = min(wrong(answers, threshold) for threshold in candidates)
    try:
        learnt = learn(answers)
    except TooFewAnswers:
        # None or all of them is best: distances tell nothing.
        assert best in (wrong(answers, 0.0), wrong(answers, 2.0))
        return
    assert learnt.wrong == wrong(answers, learnt.threshold) == best
    assert learnt.low <= learnt.threshold <= learnt.high
    heights = [step.probability for step in learnt.steps]
    assert heights == sorted(heights, reverse=True)
    assert sum(step.answers for step in learnt.steps) == len(answers)
    for step in learnt.steps:
        assert step.probability == pytest.approx(step.same / step.answers, abs=1e-4)
        inside = [a for a in answers if step.nearest <= a.distance <= step.farthest]
        assert (len(inside), sum(a.is_same for a in inside)) == (step.answers, step.same)


def test_who_is_to_be_surer_gets_a_smaller_threshold() -> None:
    near = [0.30] * 18 + [0.40] * 6
    answers = made_up(near, [0.40] * 4 + [0.50] * 20)
    assert learn(answers).threshold == 0.45
    assert learn(answers, sure=0.9).threshold == 0.35


def test_too_few_answers_say_how_many_are_missing_and_why() -> None:
    with pytest.raises(TooFewAnswers, match=r"12 pairs were confirmed and 30 refused.*8 more") as e:
        learn(made_up([0.3] * 12, [0.5] * 30))
    assert "that two are different" not in str(e.value)
    with pytest.raises(TooFewAnswers, match="do not tell the confirmed from the refused"):
        learn(made_up([0.5] * 30, [0.3] * 30))


def answered(films: Films) -> None:
    """Say of many pairs, in films of their own, that they are one up to 0.42, or different."""
    looks = np.linspace(0.37, 0.41, NEEDED)
    others = np.linspace(0.43, 0.55, NEEDED)
    for number, distance in enumerate([*looks, *others]):
        one = films.add(axis(number))
        other = films.add(away(number, float(distance), to=63 - number % 20))
        if distance < 0.42:
            films.say().merge(one[0], other[0])
        else:
            films.say().say_different(one[0], other[0])


def test_a_learnt_threshold_is_shown_then_set_and_undone(
    films: Films, capsys: pytest.CaptureFixture[str]
) -> None:
    films.add(axis(60))
    films.add(away(60, 0.40, to=61))
    assert films.run("threshold") == 2
    assert f"{NEEDED} more that two are one" in capsys.readouterr().err
    answered(films)
    before = films.store.people().events
    assert films.run("threshold") == 0
    told = capsys.readouterr().out
    assert told.startswith("threshold 0.42 (95 %: 0.41")
    assert "20 pairs confirmed, 20 refused, 0 of them on the wrong side" in told
    assert "pairs of people who would be taken for one: 1" in told
    assert films.store.people().events == before
    assert films.run("threshold", "--format", "json", "--apply", "--by", "ada") == 0
    proposal = json.loads(capsys.readouterr().out)
    assert proposal["now"] == 0.36
    assert [pair["distance"] for pair in proposal["change"]["first_pairs"]] == [0.4]
    assert films.store.people().threshold == proposal["learnt"]["threshold"] == 0.42
    assert films.store.people().events[-1].by == "ada"
    assert films.add(away(60, 0.415, to=62)) == [0]
    assert films.run("undo") == 0
    assert films.store.people().threshold is None
    assert films.run("threshold", "--format", "csv") == 0
    assert capsys.readouterr().out.splitlines()[-2].endswith(",20,20,1")


def test_a_change_is_told_as_a_plain_count_has_it(films: Films) -> None:
    films.add(axis(0))
    for distance in (0.15, 0.29, 0.33):
        films.add(away(0, distance))
    films.add(axis(5))
    films.add(away(5, 0.37, to=50))
    people = PeopleOfArchive(films.store)
    assert people.person(0).media == 4
    mean = films.store.get(0).centroid
    seen = [one.embedding for one in films.say().appearances_of(0)]
    distances = sorted(float(np.linalg.norm(one - mean)) for one in seen)
    middle = (distances[1] + distances[2]) / 2
    stricter = change_of(films.store, people, middle, shown=9)
    assert (stricter.told_apart, stricter.taken_for_one) == (2, 0)
    assert [one.distance for one in stricter.first_parted] == pytest.approx(
        distances[:1:-1], abs=1e-4
    )
    looser = change_of(films.store, people, 0.4, shown=9)
    assert (looser.told_apart, looser.taken_for_one) == (0, 1)
    assert (looser.offered_before, looser.offered_after) == (1, 1)
    assert [(p.identity, p.other_identity) for p in looser.first_pairs] == [(1, 2)]


def test_suggest_prints_rows(films: Films, capsys: pytest.CaptureFixture[str]) -> None:
    assert films.run("suggest") == 0
    assert capsys.readouterr().out == "no pair to ask about\n"
    films.add(axis(0))
    films.add(away(0, 0.40))
    assert films.run("suggest", "--format", "csv") == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split(",")[:3] == ["distance", "margin", "identity"]
    assert row == "0.4,,0,,1,1,,1"
