"""Events of a store in any order: SQLite, Redis and a plain model side by side."""

import os
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.learning.suggestions import Suggestions
from analyzer.identities.learning.threshold import answers_of
from analyzer.identities.log.people import CorrectionRefused
from analyzer.identities.records import FACTS, MediumRecord, Settings, unpack_rows
from tests.support.identities import Model
from tests.support.redis_server import RedisServer

SETTINGS = Settings(model="test", threshold=0.6, refine=3)
CAST = 6
NEW_READERS = 4
"""After so many steps, others read the stores from the beginning."""
RUNS = int(os.environ.get("RUNS", "30"))


def directions() -> np.ndarray:
    vectors = np.random.default_rng(5).normal(size=(CAST, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


DIRECTIONS = directions()


State = dict[int, tuple[object, ...]]


def state(store: IdentityStore) -> State:
    """All that a store says of its identities: rows, appearances, portraits, person, name."""
    people, records = store.people(), store.records
    rows = records.rows(0, records.size())
    appearances = {identity: records.appearances(identity) for identity, _ in rows}
    places = [(call, row) for seen in appearances.values() for call, row, _ in seen]
    portraits = iter(records.portraits(places))
    return {
        identity: (
            row,
            [(*appearance, next(portraits)) for appearance in appearances[identity]],
            people.person(identity),
            people.name(identity),
        )
        for identity, row in rows
    }


class History(RuleBasedStateMachine):
    """Both stores do what is done, or refuse it alike, as the model does; they hold the same."""

    urls: Iterator[tuple[tuple[str, str], bytes | None]]
    """Addresses of two stores, and the key of both."""
    accepted: ClassVar[Counter[str]] = Counter()
    """How often each correction made sense."""

    def __init__(self) -> None:
        super().__init__()
        urls, key = next(self.urls)
        self.stores = [open_store(url, settings=SETTINGS, key=key, wait_s=30) for url in urls]
        self.model = Model()
        self.calls = self.steps = 0
        self.held: State = {}
        """State after the last step."""
        self.mark = 0
        self.marked: State | None = None
        """State where undoing must come back to; `None`: that after this step."""
        self.expected: State | None = None
        """What this step must lead to."""
        self.before: dict[int, State] = {}
        """State before each of the last events."""

    def teardown(self) -> None:
        for store in self.stores:
            store.close()

    @initialize(seeds=st.lists(st.integers(0, 99), min_size=2, max_size=4))
    def fill(self, seeds: list[int]) -> None:
        for number, seed in enumerate(seeds):
            self.match([(number + step) % CAST for step in range(4)], seed, 738_000)

    @rule(
        members=st.lists(st.integers(0, CAST - 1), min_size=1, max_size=4, unique=True),
        seed=st.integers(0, 99),
        day=st.sampled_from([0, 738_000, 738_400]),
    )
    def match(self, members: list[int], seed: int, day: int) -> None:
        noise = np.random.default_rng(seed).normal(size=(len(members), 16)) * 0.04
        embeddings = (DIRECTIONS[members] + noise).astype(np.float32)
        n = len(members)
        medium = MediumRecord(
            path=f"film-{self.calls}.mp4",
            day=day,
            person_ids=tuple(range(n)),
            milliseconds=tuple(100 * m for m in members),
            portraits=lambda rows: {row: f"portrait {seed} {row}".encode() for row in rows},
        )
        self.calls += 1
        answers = [
            store.match_or_add(
                embeddings,
                np.arange(1, n + 1),
                key=f"call {self.calls}",
                distinct=True,
                medium=medium,
            ).tolist()
            for store in self.stores
        ]
        assert answers[0] == answers[1]
        self.model.match({(self.calls, row): identity for row, identity in enumerate(answers[0])})
        self.remember()

    def remember(self) -> None:
        """Note where undoing must come back to."""
        self.before.clear()
        self.mark, self.marked = len(self.model.events), None

    def say(self, action: str, *values: object, as_modelled: tuple[object, ...] = ()) -> bool:
        """Do it in both stores and in the model; returns whether it was accepted."""
        outcomes = []
        for store in self.stores:
            try:
                said = getattr(Corrections(store, "ada"), action)(*values)
                outcomes.append(("done" if said else "nobody", said and said.action))
            except CorrectionRefused as why:
                outcomes.append(("refused", str(why)))
        assert outcomes[0] == outcomes[1]
        is_done = outcomes[0][0] == "done"
        of_model = {"name": "say_name"}.get(action, action)
        assert self.model.say(of_model, *(as_modelled or values)) == is_done, outcomes[0]
        if is_done:
            self.accepted[action] += 1
            self.before[len(self.model.events)] = self.held
        return is_done

    numbers = st.integers(0, CAST + 2)

    def pick(self, number: int) -> int:
        """Return a person who is there; now and then another number."""
        persons = sorted({*self.model.now.person.values()})
        return persons[number] if number < len(persons) else number

    @rule(identity=numbers, name=st.sampled_from(["Ada", "Grace", None]))
    def name(self, identity: int, name: str | None) -> None:
        identity = self.pick(identity)
        # Who was merged is named by any of the numbers.
        person = self.model.now.person.get(identity, identity)
        self.say("name", identity, name, as_modelled=(person, name))

    @rule(identity=numbers, other=numbers)
    def merge(self, identity: int, other: int) -> None:
        self.say("merge", self.pick(identity), self.pick(other))

    @rule(identity=numbers, other=numbers)
    def say_different(self, identity: int, other: int) -> None:
        self.say("say_different", self.pick(identity), self.pick(other))

    @rule(identity=numbers, picked=st.sets(st.integers(0, 9), min_size=1, max_size=3))
    def split(self, identity: int, picked: set[int]) -> None:
        identity = self.pick(identity)
        places = sorted(self.model.now.groups().get(identity, ()))
        wanted = {places[i] for i in picked if i < len(places)}
        if wanted:
            self.say("split", identity, wanted, as_modelled=(identity, self.model.next, wanted))

    @rule(threshold=st.sampled_from([0.5, 0.6, 0.7]))
    def set_threshold(self, threshold: float) -> None:
        assert self.say("set_threshold", threshold)

    @rule()
    def suggest(self) -> None:
        """Both stores offer the same, and no pair that one film shows or that was refused."""
        one, other = (
            Suggestions(store, PeopleOfArchive(store)).nearest(limit=4, within=1.3)
            for store in self.stores
        )
        assert one == other
        groups = self.model.now.groups()
        for pair in one:
            assert pair.other_identity not in self.model.now.different_from(pair.identity)
            persons = (pair.identity, pair.other_identity)
            first, second = ({call for call, _ in groups[person]} for person in persons)
            assert not first & second

    @rule(back=st.integers(0, 6))
    def undo(self, back: int) -> None:
        number = len(self.model.events) - back
        if self.say("undo", number) and back == 0:
            self.expected = self.before.get(number)

    @rule(identity=numbers)
    def forget(self, identity: int) -> None:
        identity, person = self.pick(identity), self.model.now.person
        gone = {m for m, p in person.items() if p == person.get(identity, -1)}
        if not gone:
            assert Corrections(self.stores[0], "ada").forget([identity]) is None
            return
        assert self.say("forget", [identity], as_modelled=(gone,))
        self.remember()

    @rule()
    def rewind(self) -> None:
        """Undo all since somebody was matched or forgotten, the last first."""
        before = self.before.copy()
        for number in range(len(self.model.events), self.mark, -1):
            # What undid something that was said later is not in the way: that is undone itself.
            if self.model.holds(number) and self.model.undoes(number) <= self.mark:
                assert self.say("undo", number)
        self.before, self.expected = before, self.marked

    @invariant()
    def all_say_the_same(self) -> None:
        self.require_same_stores()
        if self.expected is not None:
            assert self.held == self.expected, "to the byte"
            self.expected = None
        self.marked = self.held if self.marked is None else self.marked
        self.require_what_the_model_says()
        self.steps += 1
        if self.steps % NEW_READERS == 0:
            self.require_that_new_readers_say_the_same()

    def require_same_stores(self) -> None:
        self.held, other = (state(store) for store in self.stores)
        assert self.held == other
        assert len({tuple(answers_of(store.people().events)) for store in self.stores}) == 1
        counters = [store.counters() for store in self.stores]
        assert counters[0] == counters[1]
        assert counters[0].embedded == counters[0].saved + counters[0].forgotten
        facts, _ = unpack_rows([row for row, *_ in self.held.values()])
        assert counters[0].saved == facts[:, FACTS.index("faces")].sum()
        assert counters[0].identities == len(facts)

    def require_what_the_model_says(self) -> None:
        people, now = self.stores[0].people(), self.model.now
        groups: dict[int, set[tuple[int, int]]] = {}
        for _, appearances, person, _ in self.held.values():
            groups.setdefault(person, set()).update((call, row) for call, row, *_ in appearances)
        assert groups == now.groups()
        assert people.names == now.name
        assert people.threshold == now.threshold
        assert people.forgotten == now.forgotten
        for person in groups:
            different = {p for p in people.different_from(person) if p in groups}
            assert different == now.different_from(person)

    def require_that_new_readers_say_the_same(self) -> None:
        for one in self.stores:
            again = type(one)(one.records, one.name, None, lambda: None)
            people, before = vars(again.people()), vars(one.people())
            assert people == before
            assert (again.version, again.size) == (one.version, one.size)
            assert np.array_equal(again.facts(), one.facts())
            for identity in self.held:
                assert np.array_equal(again.cosines(identity), one.cosines(identity))


def require_histories(runs: int, redis_server: RedisServer, tmp_path: Path) -> None:
    numbers = count()
    History.urls = (
        (
            (str(tmp_path / f"{n}.identities"), redis_server.url(f"store{n}")),
            bytes(range(32)) if n % 2 else None,
        )
        for n in numbers
    )
    History.accepted.clear()
    run_state_machine_as_test(
        History,
        settings=settings(
            max_examples=runs,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
    assert {"name", "merge", "say_different", "split", "undo", "forget"} <= History.accepted.keys()


@pytest.mark.timeout(600)
def test_any_history_is_the_same_in_all_stores(redis_server: RedisServer, tmp_path: Path) -> None:
    require_histories(RUNS, redis_server, tmp_path)


@pytest.mark.acceptance
@pytest.mark.timeout(3600)
def test_thousands_of_histories_are(redis_server: RedisServer, tmp_path: Path) -> None:
    require_histories(2000, redis_server, tmp_path)
