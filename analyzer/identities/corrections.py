"""Put an identity store right: names, merges, splits, and the way back."""

import getpass
import unicodedata
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import replace

import numpy as np

from analyzer.identities import IdentityStore
from analyzer.identities.log.events import (
    Action,
    Different,
    Event,
    Forgotten,
    Merged,
    Named,
    Place,
    Split,
    ThresholdSet,
    Undone,
    event_now,
    identities_of,
)
from analyzer.identities.log.people import CorrectionRefused, People
from analyzer.identities.matching.means import rebuild, unit
from analyzer.identities.records import CallRecord, StoreChange, StoredAppearance, damage_named
from analyzer.types import F32

_LONGEST_NAME = 200
_NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}
"""Unicode's categories of control characters, lone surrogates and ends of lines."""


def user_name() -> str:
    """Return the name under which this user's corrections stand in the log."""
    try:
        name = getpass.getuser()
    except (ImportError, KeyError, OSError):
        # A container may run under a number that has no name.
        return "unknown"
    # It may come from the environment, which may hold anything.
    return name if _is_name(name) else "unknown"


def _is_name(text: str) -> bool:
    """Return whether a text can be a name: one line, and not too long."""
    return len(text) <= _LONGEST_NAME and _NO_TEXT.isdisjoint(map(unicodedata.category, text))


class _NobodyThere(CorrectionRefused):
    """There is nobody to forget."""


class Corrections:
    """What people say about the identities of a store; each call is one event of its log.

    Each call is atomic beside workers that match and others who correct. A call that makes no
    sense as things are raises `CorrectionRefused`, and changes nothing.

    Args:
        store: Open.
        by: Who says it.

    Raises:
        CorrectionRefused: `by` is no name.
    """

    def __init__(self, store: IdentityStore, by: str) -> None:
        _require_name(by)
        self._store = store
        self._by = by

    def name(self, identity: int, name: str | None) -> Event:
        """Give the person of an identity a name, or take it away."""
        _require_name(name or "")
        return self._say(
            lambda people: Named(identity=people.person(identity), name=name), self._log_only
        )

    def merge(self, identity: int, other: int) -> Event:
        """Say that two persons are one; the number of the first stays.

        Their appearances and means stay apart in the store, so that it can be undone.
        """
        return self._say(
            lambda people: Merged(
                identity=identity, other=other, distance=self._distance(people, identity, other)
            ),
            self._log_only,
        )

    def say_different(self, identity: int, other: int) -> Event:
        """Say that two persons are not the same: they are not offered as such again."""
        return self._say(
            lambda people: Different(
                identity=identity, other=other, distance=self._distance(people, identity, other)
            ),
            self._log_only,
        )

    def set_threshold(self, threshold: float) -> Event:
        """Match new persons with another threshold from now on, in all processes at once.

        Raises:
            UsageError: It is none that a store may have.
        """
        possible = replace(self._store.settings, threshold=threshold).threshold
        return self._say(lambda _: ThresholdSet(threshold=possible), self._log_only)

    def split(self, identity: int, places: Iterable[Place]) -> Event:
        """Say that some of a person's appearances are another person's, who becomes a new one."""
        chosen = sorted(set(places))

        def action(people: People) -> Action:
            held = {
                member: self.appearances_of(member)
                for member in people.members(people.person(identity))
            }
            owners = {(a.call, a.row): member for member in held for a in held[member]}
            unknown = [place for place in chosen if place not in owners]
            if unknown:
                raise CorrectionRefused(
                    f"appearance {unknown[0][0]}:{unknown[0][1]} is not of {identity}"
                )
            if len(chosen) == len(owners):
                raise CorrectionRefused(
                    f"these are all appearances of {identity}: name some of them"
                )
            return Split(
                identity=identity,
                part=self._store.size,
                appearances=tuple((*place, owners[place]) for place in chosen),
                # Without any, it is refused below.
                distance=_distance_of_part(held.values(), set(chosen)) if chosen else None,
            )

        return self._say(action, self._move)

    def undo(self, number: int) -> Event:
        """Take an event back; an undoing that is undone is the event again."""
        return self._say(lambda _: Undone(event=number), self._move)

    def forget(self, ids: Iterable[int]) -> Event | None:
        """Erase the persons of identities; returns the event, `None` where none of them is there.

        Embeddings, portraits and names are erased, also in the log; nothing brings them back.
        `Records.scrub` is to be called after it: it overwrites the copies in files of the store.
        """
        given = set(ids)

        def action(people: People) -> Action:
            present = {people.person(i) for i in given if self._store.get(i) is not None}
            if not present:
                raise _NobodyThere("none of these identities is there")
            return Forgotten(
                identities=tuple(m for person in sorted(present) for m in people.members(person))
            )

        try:
            return self._say(action, self._erase)
        except _NobodyThere:
            return None

    def appearances_of(self, identity: int) -> list[StoredAppearance]:
        """Return the appearances of one identity, in the order of their calls."""
        with damage_named(self._store.name):
            return [
                StoredAppearance.unpack(*packed)
                for packed in self._store.records.appearances(identity)
            ]

    def _distance(self, people: People, identity: int, other: int) -> float:
        """Return the Euclidean distance of two persons: of the nearest means of their identities.

        Raises:
            CorrectionRefused: One is not there.
        """
        means = [self._means(people, number) for number in (identity, other)]
        return _nearest(*means)

    def _means(self, people: People, identity: int) -> F32:
        """Return the means (k, D) of the identities that a person is made of."""
        stored = [self._store.get(member) for member in people.members(identity)]
        if stored[0] is None:
            raise CorrectionRefused(f"there is no identity {identity}")
        return np.stack([member.centroid for member in stored if member])

    def _say(
        self, action: Callable[[People], Action], change: Callable[[People, Action], StoreChange]
    ) -> Event:
        """Append an event, worked out anew as long as others come in between."""
        while True:
            people = self._store.people()
            statement = action(people)
            self._require(people, statement)
            event = event_now(statement, by=self._by, number=len(people.events) + 1)
            entry = replace(change(people, statement), entries=(event.pack(),))
            if self._store.records.write(entry) is not None:
                return event
            self._store.on_wait()

    def _require(self, people: People, action: Action) -> None:
        """Require that an action makes sense, and is about somebody who is there."""
        people.require(action)
        named = identities_of(action)
        for identity in named[:1] if isinstance(action, Split) else named:
            if self._store.get(identity) is None:
                raise CorrectionRefused(f"there is no identity {identity}")

    # What is written

    def _log_only(self, people: People, _: Action) -> StoreChange:
        return StoreChange(version=None, events=len(people.events))

    def _move(self, people: People, action: Action) -> StoreChange:
        """Work out what a split, or an undoing, changes in appearances and identities."""
        after = people.after(action)
        moves = _moves(people, after)
        if not moves:
            return self._log_only(people, action)
        held = {
            identity: self.appearances_of(identity)
            for identity in {identity for move in moves.values() for identity in move}
        }
        for (call, row), (before, target) in moves.items():
            moved = [a for a in held[before] if (a.call, a.row) == (call, row)]
            held[before] = [a for a in held[before] if a not in moved]
            held[target] += moved
        vanished = people.parts.keys() - after.parts.keys()
        rows = [(identity, self._row(identity, held[identity], vanished)) for identity in held]
        appeared = after.parts.keys() - people.parts.keys()
        return StoreChange(
            version=self._store.version,
            events=len(people.events),
            rows=tuple(sorted(rows)),
            counters={"identities": len(appeared) - len(vanished)},
            moved=tuple((*place, target) for place, (_, target) in moves.items()),
        )

    def _row(self, identity: int, appearances: list[StoredAppearance], vanished: Set[int]) -> bytes:
        """Return the row of an identity that has these appearances from now on."""
        if identity in vanished:
            if appearances:
                raise CorrectionRefused(
                    f"{identity} was seen in {len(appearances)} more media since: merge it instead"
                )
            return b""
        if not appearances:
            raise CorrectionRefused(
                f"{identity} would be left without any appearance: undo its splits first"
            )
        ordered = sorted(appearances, key=lambda appearance: (appearance.call, appearance.row))
        calls = sorted({appearance.call for appearance in ordered})
        with damage_named(self._store.name):
            records = map(CallRecord.unpack, self._store.records.calls(calls))
            days = {call: record.day for call, record in zip(calls, records, strict=True)}
        return rebuild(identity, ordered, days, self._store.settings.refine).pack()

    def _erase(self, people: People, action: Action) -> StoreChange:
        """Work out what forgetting erases."""
        gone = identities_of(action)
        stored = [identity for i in gone if (identity := self._store.get(i))]
        faces = sum(identity.faces for identity in stored)
        return StoreChange(
            version=self._store.version,
            events=len(people.events),
            rows=tuple((identity.id, b"") for identity in stored),
            counters={"identities": -len(stored), "saved": -faces, "forgotten": faces},
            erased=tuple(
                (appearance.call, appearance.row)
                for identity in gone
                for appearance in self.appearances_of(identity)
            ),
            rewritten=tuple(
                (event.number, event.without_name().pack())
                for event in people.events
                if isinstance(event.action, Named)
                and event.action.identity in gone
                and event.action.name is not None
            ),
        )


def _require_name(text: str) -> None:
    if not _is_name(text):
        raise CorrectionRefused(
            f"a name has one line of text, and at most {_LONGEST_NAME} characters"
        )


def _nearest(means: F32, others: F32) -> float:
    """Return the Euclidean distance of the nearest of means (n, D) and others (m, D)."""
    return round(float(np.linalg.norm(means[:, None] - others[None], axis=2).min()), 6)


def _distance_of_part(held: Iterable[Sequence[StoredAppearance]], part: Set[Place]) -> float:
    """Return the distance of the mean of some appearances to those that are left.

    Args:
        held: Appearances of each identity of a person.
        part: Those that are split off; some are left.
    """
    chosen: list[F32] = []
    left: list[F32] = []
    for appearances in held:
        weighted = [
            ((a.call, a.row) in part, a.embedding * np.float32(a.updates)) for a in appearances
        ]
        chosen += [vector for is_part, vector in weighted if is_part]
        rest = [vector for is_part, vector in weighted if not is_part]
        left += [np.sum(rest, axis=0)] if rest else []
    return _nearest(unit(np.sum(chosen, axis=0)[None]), unit(np.stack(left)))


def _moves(before: People, after: People) -> dict[Place, tuple[int, int]]:
    """Return the appearances that change hands, with their identities before and after."""
    # The first split of an appearance says who had it by its matching.
    matched = {
        (call, row): owner
        for event in reversed(after.events)
        if isinstance(event.action, Split)
        for call, row, owner in event.action.appearances
    }
    places = sorted(before.owners.keys() | after.owners.keys())
    owners = {
        place: (before.owner(place, matched[place]), after.owner(place, matched[place]))
        for place in places
    }
    return {place: move for place, move in owners.items() if move[0] != move[1]}
