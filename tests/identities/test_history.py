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
from analyzer.identities.log.people import CorrectionRefused, undone_events
from analyzer.identities.records import MediumRecord, Settings, StoredIdentity
from tests.support.redis_server import RedisServer

SETTINGS = Settings(model="test", threshold=0.6, refine=3)
CAST = 6
RUNS = int(os.environ.get("RUNS", "30"))


def directions() -> np.ndarray:
    vectors = np.random.default_rng(5).normal(size=(CAST, 16)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


DIRECTIONS = directions()


def state(store: IdentityStore) -> dict[int, tuple[object, ...]]:
    """All that a store says of its identities: rows, appearances, person, name."""
    people = store.people()
    corrections = Corrections(store, "reader")
    return {
        identity.id: (
            identity.pack(),
            (seen := [(a.call, a.row, a.pack()) for a in corrections.appearances_of(identity.id)]),
            store.records.portraits([place[:2] for place in seen]),
            people.person(identity.id),
            people.name(identity.id),
        )
        for identity in store.all()
    }


class Model:
    """Who is who, kept as plainly as it goes: every state is remembered, none is worked out."""

    def __init__(self) -> None:
        self.owner: dict[tuple[int, int], int] = {}
        self.person: dict[int, int] = {}
        self.name: dict[int, str] = {}

    def groups(self) -> dict[int, set[tuple[int, int]]]:
        """Return the appearances of each person."""
        groups: dict[int, set[tuple[int, int]]] = {}
        for place, identity in self.owner.items():
            groups.setdefault(self.person[identity], set()).add(place)
        return groups


class History(RuleBasedStateMachine):
    """Both stores do what is done, or refuse it alike; they hold the same."""

    urls: Iterator[tuple[tuple[str, str], bytes | None]]
    """Addresses of two stores, and the key of both."""
    accepted: ClassVar[Counter[str]] = Counter()
    """How often each correction made sense."""

    def __init__(self) -> None:
        super().__init__()
        urls, key = next(self.urls)
        self.stores = [open_store(url, settings=SETTINGS, key=key, wait_s=30) for url in urls]
        self.model = Model()
        self.calls = 0
        self.mark = 0
        self.marked: object = None
        self.before: dict[int, object] = {}

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
        for row, identity in enumerate(answers[0]):
            self.model.owner[self.calls, row] = identity
            self.model.person.setdefault(identity, identity)
        self.remember()

    def remember(self) -> None:
        """Note where undoing must come back to."""
        self.before.clear()
        self.mark = len(self.stores[0].people().events)
        self.marked = self.moment()

    def moment(self) -> tuple[dict[int, tuple[object, ...]], float | None]:
        """All that follows from the log, too."""
        return state(self.stores[0]), self.stores[0].people().threshold

    def say(self, action: str, *values: object) -> bool:
        """Do it in both stores; returns whether it was accepted."""
        known = self.moment()
        outcomes = []
        for store in self.stores:
            try:
                said = getattr(Corrections(store, "ada"), action)(*values)
                outcomes.append(("done", said and said.action))
            except CorrectionRefused as why:
                outcomes.append(("refused", str(why)))
        assert outcomes[0] == outcomes[1]
        if outcomes[0][0] == "done":
            self.accepted[action] += 1
        if outcomes[0][0] == "done":
            self.before[len(self.stores[0].people().events)] = known
        return outcomes[0][0] == "done"

    numbers = st.integers(0, CAST + 2)

    def pick(self, number: int) -> int:
        """Return a person who is there; now and then another number."""
        persons = sorted({*self.model.person.values()})
        return persons[number] if number < len(persons) else number

    @rule(identity=numbers, name=st.sampled_from(["Ada", "Grace", None]))
    def name(self, identity: int, name: str | None) -> None:
        identity = self.pick(identity)
        if self.say("name", identity, name):
            person = self.model.person[identity]
            self.model.name.pop(person, None)
            if name:
                self.model.name[person] = name

    @rule(identity=numbers, other=numbers)
    def merge(self, identity: int, other: int) -> None:
        identity, other = self.pick(identity), self.pick(other)
        if self.say("merge", identity, other):
            for member, person in self.model.person.items():
                if person == other:
                    self.model.person[member] = identity
            name = self.model.name.pop(other, None)
            if name:
                self.model.name.setdefault(identity, name)

    @rule(identity=numbers, other=numbers)
    def say_different(self, identity: int, other: int) -> None:
        identity, other = self.pick(identity), self.pick(other)
        if self.say("say_different", identity, other):
            assert self.stores[0].people().are_different(identity, other)

    @rule(identity=numbers, picked=st.sets(st.integers(0, 9), min_size=1, max_size=3))
    def split(self, identity: int, picked: set[int]) -> None:
        identity = self.pick(identity)
        places = sorted(self.model.groups().get(identity, ()))
        wanted = {places[i] for i in picked if i < len(places)}
        if wanted and self.say("split", identity, wanted):
            part = self.stores[0].people().events[-1].action.part
            self.model.person[part] = part
            self.model.owner.update(dict.fromkeys(wanted, part))

    @rule(threshold=st.sampled_from([0.5, 0.6, 0.7]))
    def set_threshold(self, threshold: float) -> None:
        assert self.say("set_threshold", threshold)
        assert self.moment()[1] == threshold

    @rule()
    def suggest(self) -> None:
        """Both stores offer the same, and no pair that one film shows or that was refused."""
        archives = [PeopleOfArchive(store) for store in self.stores]
        one, other = (
            Suggestions(store, archive).nearest(limit=4, within=1.3)
            for store, archive in zip(self.stores, archives, strict=True)
        )
        assert one == other
        for pair in one:
            assert not archives[0].log.are_different(pair.identity, pair.other_identity)
            calls = [
                {call for call, _ in self.model.groups()[person]}
                for person in (pair.identity, pair.other_identity)
            ]
            assert not calls[0] & calls[1]

    @rule(back=st.integers(0, 6))
    def undo(self, back: int) -> None:
        number = len(self.stores[0].people().events) - back
        if not self.say("undo", number):
            return
        if back == 0 and number in self.before:
            assert self.moment() == self.before[number], "to the byte"
        self.copy_model()

    def copy_model(self) -> None:
        """Go on from what the stores say: how names are left is tested by the states before."""
        people = self.stores[0].people()
        held = state(self.stores[0])
        self.model.owner = {
            (call, row): identity
            for identity, (_, appearances, _, _, _) in held.items()
            for call, row, _ in appearances
        }
        self.model.person = {identity: people.person(identity) for identity in held}
        self.model.name = dict(people.names)

    @rule(identity=numbers)
    def forget(self, identity: int) -> None:
        people, identity = self.stores[0].people(), self.pick(identity)
        gone = people.members(people.person(identity))
        self.say("forget", [identity])
        for member in gone:
            self.model.person.pop(member, None)
            self.model.name.pop(member, None)
        self.model.owner = {p: o for p, o in self.model.owner.items() if o not in gone}
        self.remember()

    @rule()
    def rewind(self) -> None:
        """Undo all since somebody was matched or forgotten, the last first."""
        for number in range(len(self.stores[0].people().events), self.mark, -1):
            if number not in undone_events(self.stores[0].people().events):
                assert self.say("undo", number)
        assert self.moment() == self.marked, "to the byte"
        self.copy_model()

    @invariant()
    def stores_hold_the_same(self) -> None:
        one, other = (state(store) for store in self.stores)
        assert one == other
        assert len({store.people().threshold for store in self.stores}) == 1
        assert len({tuple(answers_of(store.people().events)) for store in self.stores}) == 1
        counters = [store.counters() for store in self.stores]
        assert counters[0] == counters[1]
        assert counters[0].embedded == counters[0].saved + counters[0].forgotten
        rows = [StoredIdentity.unpack(identity, row) for identity, (row, *_) in one.items()]
        assert counters[0].saved == sum(row.faces for row in rows)
        assert counters[0].identities == len(rows)

    @invariant()
    def model_says_the_same(self) -> None:
        held = state(self.stores[0])
        people = self.stores[0].people()
        groups: dict[int, set[tuple[int, int]]] = {}
        for _, appearances, _, person, _ in held.values():
            groups.setdefault(person, set()).update((call, row) for call, row, _ in appearances)
        assert groups == self.model.groups()
        assert people.names == self.model.name

    @invariant()
    def a_new_reader_says_the_same(self) -> None:
        one = self.stores[0]
        again = type(one)(one.records, one.name, None, lambda: None)
        assert state(again) == state(one)


@pytest.fixture
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.mark.timeout(600)
def test_any_history_is_the_same_in_all_stores(redis_server: RedisServer, tmp_path: Path) -> None:
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
            max_examples=RUNS,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )
    assert {"name", "merge", "say_different", "split", "undo", "forget"} <= History.accepted.keys()
