"""The people of an archive, as a store knows them: how often, where, and who is alike."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from analyzer.errors import UsageError
from analyzer.identities import IdentityStore
from analyzer.identities.log.people import People
from analyzer.identities.matching.means import TAKEN_OVER
from analyzer.identities.records import (
    FACTS,
    CallRecord,
    StoredAppearance,
    damage_named,
)
from analyzer.types import F32, I64

_MEDIA = FACTS.index("media")
ORDERS = ("media", "faces", "screen_time_s", "last_date", "identity")
"""What persons can be sorted by: the most first, the latest first, the lowest number first."""


@dataclass(frozen=True, kw_only=True)
class ArchivePerson:
    """A person of an archive: an identity, and those that were merged into it."""

    identity: int
    """Number that the person is known by."""
    name: str | None
    media: int
    """In how many media."""
    faces: int
    screen_time_s: float
    """In all media."""
    first_date: str | None
    """Date of the first medium, ISO 8601; `None` where no medium has a date."""
    last_date: str | None
    members: tuple[int, ...]
    """Identities that are this person, the number that stays first."""


@dataclass(frozen=True, kw_only=True)
class SeenIn:
    """An appearance of a person: one person of one medium."""

    appearance: str
    """Its name for `split`: number of the call, and its row."""
    identity: int
    """Identity that has it, before merges."""
    medium: str
    date: str | None
    person_id: int
    """Number of the person in the medium's report."""
    faces: int
    screen_time_s: float
    person_identity: int
    """Number that the person is known by, with merges."""


@dataclass(frozen=True, kw_only=True)
class Alike:
    """Somebody who may be the same person."""

    person: ArchivePerson
    distance: float
    """Euclidean, between the nearest means of the two."""


class PeopleOfArchive:
    """The people of a store at one moment.

    Args:
        store: Open; others may go on with it.
    """

    def __init__(self, store: IdentityStore) -> None:
        self._store = store
        self.log: People = store.people()
        self._person = np.arange(store.size)
        self._merged = np.array(sorted(self.log.merged()), np.int64)
        for identity in self._merged.tolist():
            self._person[identity] = self.log.person(identity)
        facts = store.facts()
        self._media = facts[:, _MEDIA]
        self._facts = _summed(facts, self._merged, self._person[self._merged])
        self._uncounted = set(map(self.log.person, self._merged.tolist()))
        """Persons of which media are still counted as often as identities of theirs are there."""
        self._calls: dict[int, frozenset[int]] = {}
        self._media_of_calls: dict[int, str] = {}

    def __len__(self) -> int:
        return int((self._facts[:, 0] > 0).sum())

    @property
    def threshold(self) -> float:
        """Distance below which two are one person: the store's own, or one that was set since."""
        set_later = self.log.threshold
        return self._store.settings.threshold if set_later is None else set_later

    def person_of_identities(self) -> I64:
        """Return the number (size,) of each identity's person."""
        return self._person

    def media_of_identities(self) -> I64:
        """Return in how many media each identity (size,) was seen; 0 of those not there."""
        return self._media

    def person(self, identity: int) -> ArchivePerson:
        """Return the person of an identity.

        Raises:
            UsageError: There is none.
        """
        person = self.log.person(identity)
        if not (0 <= person < len(self._facts) and self._facts[person, 0]):
            gone = person in self.log.forgotten
            raise UsageError(f"{identity} was forgotten" if gone else f"no identity {identity}")
        if person in self._uncounted:
            self._count_media(person)
        facts = dict(zip(FACTS, self._facts[person].tolist(), strict=True))
        return ArchivePerson(
            identity=person,
            name=self.log.names.get(person),
            media=facts["media"],
            faces=facts["faces"],
            screen_time_s=facts["milliseconds"] / 1000,
            first_date=iso_date(facts["first_day"]),
            last_date=iso_date(facts["last_day"]),
            members=tuple(self.log.members(person)),
        )

    def _count_media(self, person: int) -> None:
        """Count the media once in which several identities of a person are."""
        calls = [self._calls_of_identity(member) for member in self.log.members(person)]
        self._facts[person, _MEDIA] -= sum(map(len, calls)) - len(frozenset().union(*calls))
        self._uncounted.remove(person)

    def table(self) -> tuple[I64, I64]:
        """Return the numbers (n,) of all persons, and their facts (n, 6) as in `FACTS`."""
        for person in list(self._uncounted):
            self._count_media(person)
        numbers = np.flatnonzero(self._facts[:, 0] > 0)
        return numbers, self._facts[numbers]

    def find(self, text: str) -> ArchivePerson:
        """Return a person by number or by name.

        Raises:
            UsageError: There is none, or several have the name.
        """
        if text.isdecimal():
            return self.person(int(text))
        numbers_named = [number for number, name in self.log.names.items() if name == text]
        if len(numbers_named) != 1:
            numbers = ", ".join(map(str, sorted(numbers_named))) or "nobody"
            raise UsageError(f"{text}: {numbers} has this name: give a number of `identities list`")
        return self.person(numbers_named[0])

    def most(
        self, order: str = "media", *, limit: int | None = None, search: str = ""
    ) -> list[ArchivePerson]:
        """Return persons in an order.

        Args:
            order: One of `ORDERS`; equal ones by their numbers.
            limit: How many at most.
            search: Part of the name, in any case; empty for all, those without a name too.
        """
        columns = {"screen_time_s": "milliseconds", "last_date": "last_day"}
        numbers = np.flatnonzero(self._facts[:, 0] > 0)
        if search:
            named = [
                n for n, name in self.log.names.items() if search.casefold() in name.casefold()
            ]
            numbers = np.intersect1d(numbers, np.array(named, np.int64))
        if order != "identity":
            column = FACTS.index(columns.get(order, order))
            first = self._first(numbers, column, limit)
            # Until they are counted, merged people may stand too far ahead, but never too far back.
            while column == _MEDIA and (above := self._uncounted.intersection(first.tolist())):
                for person in above:
                    self._count_media(person)
                first = self._first(numbers, column, limit)
            numbers = first
        return [self.person(number) for number in numbers[:limit].tolist()]

    def _first(self, numbers: I64, column: int, limit: int | None) -> I64:
        """Return those of the highest facts, the highest first; equal ones by their numbers."""
        values = self._facts[numbers, column]
        if limit is not None and 0 < limit < len(numbers):
            last = np.partition(values, -limit)[-limit]
            numbers, values = numbers[values >= last], values[values >= last]
        return numbers[np.argsort(-values, kind="stable")][:limit]

    def seen_in(self, identity: int) -> list[SeenIn]:
        """Return the appearances of the person of an identity, in the order of calls."""
        records = self._store.records
        members = self.log.members(self.log.person(identity))
        with damage_named(self._store.name):
            packed = [(m, *row) for m in members for row in records.appearances(m)]
            calls = sorted({call for _, call, _, _ in packed})
            records_of_calls = dict(
                zip(calls, map(CallRecord.unpack, records.calls(calls)), strict=True)
            )
            return [
                _seen_in(
                    StoredAppearance.unpack(call, row, record),
                    records_of_calls[call],
                    member,
                    members[0],
                )
                for member, call, row, record in sorted(packed, key=lambda row: row[1:3])
            ]

    def every_appearance(self) -> Iterator[SeenIn]:
        """Yield the appearances of all persons, in the order of their numbers."""
        for person in self.most("identity"):
            yield from self.seen_in(person.identity)

    def shared_media(self, identity: int, other: int) -> list[str]:
        """Return the media in which two persons both are, one beside the other."""
        shared = sorted(self._calls_of(identity) & self._calls_of(other))
        unread = [call for call in shared if call not in self._media_of_calls]
        with damage_named(self._store.name):
            records = map(CallRecord.unpack, self._store.records.calls(unread))
            self._media_of_calls.update(zip(unread, (r.path for r in records), strict=True))
        # Calls of programs name no medium: nobody has told apart who is in them.
        return [self._media_of_calls[call] for call in shared if self._media_of_calls[call]]

    def _calls_of(self, identity: int) -> frozenset[int]:
        """Return the calls in which a person was seen, but for those of an older form of store."""
        members = self.log.members(self.log.person(identity))
        return frozenset().union(*map(self._calls_of_identity, members))

    def _calls_of_identity(self, identity: int) -> frozenset[int]:
        if identity not in self._calls:
            calls = self._store.records.calls_of(identity)
            self._calls[identity] = frozenset(calls) - {TAKEN_OVER}
        return self._calls[identity]

    def alike(self, identity: int, *, limit: int) -> list[Alike]:
        """Return the persons who are nearest to that of an identity, the nearest first.

        Those who were said to be different are left out. The distance is that of the nearest pair
        of means, as merged identities keep theirs.
        """
        person = self.person(identity)
        cosines = np.full(len(self._person), -1, np.float32)
        for member in person.members:
            np.maximum(cosines, self._store.cosines(member), out=cosines)
        cosines[person.members,] = -1
        best = cosines.copy()
        np.maximum.at(best, self._person[self._merged], cosines[self._merged])
        best[self._merged] = -1
        nearest: list[Alike] = []
        for number in _descending(best, limit + len(self.log.different_from(person.identity))):
            if len(nearest) < limit and not self.log.are_different(person.identity, number):
                distance = float(np.sqrt(max(0.0, 2 - 2 * float(best[number]))))
                nearest.append(Alike(person=self.person(number), distance=round(distance, 4)))
        return nearest


def iso_date(day: int) -> str | None:
    """Return a date of `datetime.date.toordinal`, ISO 8601; `None` for 0."""
    return date.fromordinal(day).isoformat() if day else None


def _summed(facts: I64, merged: I64, person: I64) -> I64:
    """Return facts (n, 6) of persons: sums over the identities that are each one.

    Args:
        facts: (n, 6) of identities.
        merged: (k,) identities that were merged into others.
        person: (k,) the person of each of them.
    """
    summed = facts.copy()
    first, last = FACTS.index("first_day"), FACTS.index("last_day")
    np.add.at(summed[:, :first], person, facts[merged, :first])
    np.maximum.at(summed[:, last], person, facts[merged, last])
    # A day of 0 is none.
    dated = facts[merged, first] > 0
    persons = np.unique(person)
    days = summed[persons, first]
    summed[persons, first] = np.where(days > 0, days, np.iinfo(np.int64).max)
    np.minimum.at(summed[:, first], person[dated], facts[merged, first][dated])
    days = summed[persons, first]
    summed[persons, first] = np.where(days < np.iinfo(np.int64).max, days, 0)
    summed[merged] = 0
    return summed


def _descending(values: F32, limit: int) -> Iterable[int]:
    """Return the indices of the highest values, the highest first; none of those below 0."""
    count = min(limit, len(values))
    highest = np.argpartition(-values, count - 1)[:count] if count else np.empty(0, np.int64)
    ordered = highest[np.lexsort((highest, -values[highest]))]
    return [index for index in ordered.tolist() if values[index] > 0]


def _seen_in(appearance: StoredAppearance, call: CallRecord, member: int, person: int) -> SeenIn:
    return SeenIn(
        appearance=f"{appearance.call}:{appearance.row}",
        identity=member,
        medium=call.path,
        date=iso_date(call.day),
        person_id=appearance.person_id,
        faces=appearance.faces,
        screen_time_s=appearance.milliseconds / 1000,
        person_identity=person,
    )
