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
        facts, self._person = store.facts(), np.arange(store.size)
        for identity in self.log.merged():
            self._person[identity] = self.log.person(identity)
        self._facts = _summed(facts, self._person)
        self._media = facts[:, FACTS.index("media")]
        self._calls: dict[int, set[int]] = {}
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
        facts = dict(zip(FACTS, self._facts[person].tolist(), strict=True))
        members = self.log.members(person)
        if len(members) > 1:
            facts["media"] = len({appearance.medium for appearance in self.seen_in(person)})
        return ArchivePerson(
            identity=person,
            name=self.log.names.get(person),
            media=facts["media"],
            faces=facts["faces"],
            screen_time_s=facts["milliseconds"] / 1000,
            first_date=iso_date(facts["first_day"]),
            last_date=iso_date(facts["last_day"]),
            members=tuple(members),
        )

    def table(self) -> tuple[I64, I64]:
        """Return the numbers (n,) of all persons, and their facts (n, 6) as in `FACTS`."""
        numbers = np.flatnonzero(self._facts[:, 0] > 0)
        facts = self._facts[numbers]
        merged = {self.log.person(identity) for identity in self.log.merged()}
        for row in np.flatnonzero(np.isin(numbers, list(merged))).tolist():
            facts[row, FACTS.index("media")] = self.person(int(numbers[row])).media
        return numbers, facts

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
            values = self._facts[numbers, FACTS.index(columns.get(order, order))]
            numbers = numbers[np.argsort(-values, kind="stable")]
        return [self.person(number) for number in numbers[:limit].tolist()]

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

    def _calls_of(self, identity: int) -> set[int]:
        """Return the calls in which a person was seen, but for those of an older form of store."""
        person = self.log.person(identity)
        if person not in self._calls:
            self._calls[person] = {
                call
                for member in self.log.members(person)
                for call, _, _ in self._store.records.appearances(member)
            } - {TAKEN_OVER}
        return self._calls[person]

    def alike(self, identity: int, *, limit: int) -> list[Alike]:
        """Return the persons who are nearest to that of an identity, the nearest first.

        Those who were said to be different are left out. The distance is that of the nearest pair
        of means, as merged identities keep theirs.
        """
        person = self.person(identity)
        cosines = np.full(len(self._person), -1, np.float32)
        for member in person.members:
            np.maximum(cosines, self._store.cosines(member), out=cosines)
        cosines[self._person == person.identity] = -1
        best = np.full(len(self._person), -1, np.float32)
        np.maximum.at(best, self._person, cosines)
        best[self._facts[:, 0] == 0] = -1
        nearest: list[Alike] = []
        for number in _descending(best, limit + len(self.log.different_from(person.identity))):
            if len(nearest) < limit and not self.log.are_different(person.identity, number):
                distance = float(np.sqrt(max(0.0, 2 - 2 * float(best[number]))))
                nearest.append(Alike(person=self.person(number), distance=round(distance, 4)))
        return nearest


def iso_date(day: int) -> str | None:
    """Return a date of `datetime.date.toordinal`, ISO 8601; `None` for 0."""
    return date.fromordinal(day).isoformat() if day else None


def _summed(facts: I64, person: I64) -> I64:
    """Return facts (n, 6) of persons: sums over the identities that are each one."""
    if not (person != np.arange(len(person))).any():
        return facts
    summed = np.zeros_like(facts)
    np.add.at(summed, person, facts)
    first = FACTS.index("first_day")
    days = np.where(facts[:, first] > 0, facts[:, first], np.iinfo(np.int64).max)
    earliest = np.full(len(facts), np.iinfo(np.int64).max)
    np.minimum.at(earliest, person, days)
    summed[:, first] = np.where(earliest < np.iinfo(np.int64).max, earliest, 0)
    latest = np.zeros(len(facts), np.int64)
    np.maximum.at(latest, person, facts[:, FACTS.index("last_day")])
    summed[:, FACTS.index("last_day")] = latest
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
