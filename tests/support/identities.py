"""Identity stores: what they must hold after a run, and processes that use one at once.

`python -m tests.support.identities URL NUMBER OF PAUSE_S` is one of `OF` such processes;
`python -m tests.support.identities URL SEED` corrects the store meanwhile.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.log.people import CorrectionRefused, last_event
from analyzer.identities.records import Counters, Settings
from tests.support.servers import table

SETTINGS = Settings(model="test", threshold=0.6, refine=30)
PEOPLE, EMBEDDINGS, BATCH = 200, 20_000, 50


def faces(out: Path) -> Counter[int]:
    """Faces of each identity, as the tables of characters have it."""
    counts: Counter[int] = Counter()
    for path in out.glob("*.characters"):
        for row in table(path):
            counts[int(row["identity_id"])] += int(row["face_count"])
    return counts


def archived(out: Path, url: str, *, times: int = 1) -> tuple[int, int]:
    """See that a store knows what tables say; return its number of people, and of faces."""
    faces_of_tables = faces(out)
    store = open_store(url, settings=None)
    counters, faces_of_store = store.counters(), {person.id: person.faces for person in store.all()}
    store.close()
    assert faces_of_store == {number: times * count for number, count in faces_of_tables.items()}
    saved = times * faces_of_tables.total()
    assert counters == Counters(
        detected=counters.detected, embedded=saved, saved=saved, identities=len(faces_of_tables)
    )
    assert saved <= counters.detected
    return len(faces_of_tables), saved


def crowd() -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (20,000, 128) and their owners, 200 people; the same in every process."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(PEOPLE, 128))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    owners = rng.permutation(np.arange(EMBEDDINGS) % PEOPLE)
    noise = rng.normal(size=(EMBEDDINGS, 128)) * 0.25 / np.sqrt(128)
    return (centres[owners] + noise).astype(np.float32), owners


class Impossible(Exception):
    """What is said makes no sense as things are."""


class WhoIsWho:
    """Who is who at one moment, kept as plainly as it goes."""

    def __init__(self) -> None:
        self.owner: dict[tuple[int, int], int] = {}
        self.person: dict[int, int] = {}
        """Of identities that are there."""
        self.name: dict[int, str] = {}
        self.apart: list[tuple[int, int]] = []
        self.forgotten: set[int] = set()
        self.threshold: float | None = None

    def groups(self) -> dict[int, set[tuple[int, int]]]:
        """Return the appearances of each person."""
        groups: dict[int, set[tuple[int, int]]] = {}
        for place, identity in self.owner.items():
            groups.setdefault(self.person[identity], set()).add(place)
        return groups

    def different_from(self, person: int) -> set[int]:
        """Return the persons who were said not to be this one."""
        pairs = [*self.apart, *((other, one) for one, other in self.apart)]
        return {
            self.person[other]
            for one, other in pairs
            if {one, other} <= self.person.keys() and self.person[one] == person
        }

    def _require(self, *persons: int) -> None:
        if not all(self.person.get(person) == person for person in persons):
            raise Impossible(f"{persons} are not persons")

    def match(self, places: dict[tuple[int, int], int], new: set[int]) -> None:
        self.person.update({identity: identity for identity in new})
        if not set(places.values()) <= self.person.keys():
            raise Impossible("seen, and not there")
        self.owner.update(places)

    def say_name(self, identity: int, name: str | None) -> None:
        self._require(identity)
        self.name.pop(identity, None)
        if name:
            self.name[identity] = name

    def merge(self, identity: int, other: int) -> None:
        self._require(identity, other)
        if identity == other or other in self.different_from(identity):
            raise Impossible("one, or different")
        self.person |= {m: identity for m, person in self.person.items() if person == other}
        if name := self.name.pop(other, None):
            self.name.setdefault(identity, name)

    def say_different(self, identity: int, other: int) -> None:
        self._require(identity, other)
        if identity == other:
            raise Impossible("one")
        self.apart.append((identity, other))

    def split(self, identity: int, part: int, places: set[tuple[int, int]]) -> None:
        self._require(identity)
        if not places < self.groups()[identity]:
            raise Impossible("not theirs, or all of theirs")
        self.person[part] = part
        self.owner.update(dict.fromkeys(places, part))

    def set_threshold(self, threshold: float) -> None:
        self.threshold = threshold

    def forget(self, members: set[int]) -> None:
        self.forgotten |= members
        for member in members:
            self.person.pop(member, None)
            self.name.pop(member, None)
        self.owner = {p: identity for p, identity in self.owner.items() if identity not in members}


class Model:
    """A store's history: who is who is worked out from its beginning, each time anew."""

    def __init__(self) -> None:
        self.happened: list[tuple[str, tuple[object, ...]]] = []
        self.events: list[int] = []
        """Which of them are events, in their order."""
        self.now = WhoIsWho()
        self.next = 0
        """Number of the next identity."""

    def holds(self, event: int) -> bool:
        """Return whether no later event that holds has undone this one, numbered from 1."""
        return event not in self._undone()

    def undoes(self, event: int) -> int:
        """Return the event that this one undid; 0 for all others."""
        action, values = self.happened[self.events[event - 1]]
        return int(values[0]) if action == "undo" else 0  # type: ignore[call-overload]

    def _undone(self) -> set[int]:
        undone: set[int] = set()
        for number in range(len(self.events), 0, -1):
            if number not in undone:
                undone.add(self.undoes(number))
        return undone - {0}

    def match(self, places: dict[tuple[int, int], int]) -> None:
        """Note what matching answered."""
        new = {identity for identity in places.values() if identity >= self.next}
        self.happened.append(("match", (places, new)))
        self.now.match(places, new)
        self.next = max(self.next, *(identity + 1 for identity in places.values()))

    def say(self, action: str, *values: object) -> bool:
        """Take what was said for true, if it makes sense; returns whether it does."""
        if action == "undo" and not self._may_be_undone(*values):  # type: ignore[arg-type]
            return False
        self.events.append(len(self.happened))
        self.happened.append((action, values))
        try:
            after = self._replayed()
            # Undoing may leave nobody without an appearance; nor may splitting.
            if set(after.owner.values()) != after.person.keys():
                raise Impossible("an identity without appearances")
        except Impossible:
            self.happened.pop()
            self.events.pop()
            return False
        self.now = after
        self.next += action == "split"
        return True

    def _may_be_undone(self, event: int) -> bool:
        if not 1 <= event <= len(self.events) or not self.holds(event):
            return False
        action, values = self.happened[self.events[event - 1]]
        while action == "undo":
            action, values = self.happened[self.events[values[0] - 1]]  # type: ignore[operator]
        numbers: Iterable[object] = values if action != "say_name" else values[:1]
        return action != "forget" and not (
            action != "set_threshold"
            and any(isinstance(n, int) and n in self.now.forgotten for n in numbers)
        )

    def _replayed(self) -> WhoIsWho:
        after = WhoIsWho()
        gone = {self.events[number - 1] for number in self._undone()}
        for index, (action, values) in enumerate(self.happened):
            if action != "undo" and index not in gone:
                getattr(after, action)(*values)
        return after


def main(url: str, number: int, of: int, pause_s: float) -> None:
    """Give the store this process's share, in calls; each is said twice now and then."""
    embeddings, owners = crowd()
    store = open_store(url, settings=SETTINGS)
    print("ready", flush=True)
    sys.stdin.readline()
    for call in range(number, EMBEDDINGS // BATCH, of):
        part = slice(call * BATCH, (call + 1) * BATCH)
        for _ in range(2 if call % 7 == 0 else 1):
            ids = store.match_or_add(
                embeddings[part], np.ones(BATCH, np.int64), key=str(call), detected=BATCH + 1
            )
        pairs = {f"{w}:{i}" for w, i in zip(owners[part].tolist(), ids.tolist(), strict=True)}
        print(*pairs, flush=True)
        time.sleep(pause_s)
    store.close()


def edit(url: str, seed: str) -> None:
    """Merge, split, name and undo at random until it is stopped; print what was done."""
    rng, store = random.Random(seed), open_store(url, settings=None)
    corrections = Corrections(store, f"editor {seed}")
    print("ready", flush=True)
    while True:
        time.sleep(0.01)
        identity, other = rng.sample(range(max(2, store.size)), 2)
        try:
            match rng.randrange(4):
                case 0:
                    event = corrections.merge(identity, other)
                case 1:
                    appearances = PeopleOfArchive(store).seen_in(identity)
                    call, row = (
                        rng.choice(appearances).appearance.split(":") if appearances else ("0", "0")
                    )
                    event = corrections.split(identity, [(int(call), int(row))])
                case 2:
                    event = corrections.name(identity, f"person {seed} {identity}")
                case _:
                    event = corrections.undo(last_event(store.people().events) or 1)
        except CorrectionRefused:
            continue
        print(event.number, event.by, event.action.kind, flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        edit(sys.argv[1], sys.argv[2])
    else:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
