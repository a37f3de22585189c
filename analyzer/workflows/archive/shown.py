"""What the page over an archive shows: plain values for JSON."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path, PurePath
from typing import Any

from analyzer.identities import IdentityStore
from analyzer.identities.archive import Alike, ArchivePerson, PeopleOfArchive
from analyzer.identities.learning.suggestions import REACH
from analyzer.identities.log.events import Place
from analyzer.identities.log.people import last_event
from analyzer.identities.records import FACTS
from analyzer.workflows.archive.session import ArchiveSession

ALIKE = 6
"""Persons that are offered as the same."""
FIRST_APPEARANCES = 100
"""Of a person: those that are shown before one asks for all."""
_LEFT_OUT = 24
"""Nearer persons that may be left out because one medium shows both."""
_TYPES = {"screen_time_s": "<f4"}
"""Types of columns that are no whole numbers."""


class ShownArchive:
    """The people of a store as the page shows them.

    Args:
        store: Open.
        session: Of its user.

    Attributes:
        session: The same.
    """

    def __init__(self, store: IdentityStore, session: ArchiveSession) -> None:
        self._store = store
        self.session = session
        self._people: PeopleOfArchive = session.people
        self._threshold = session.people.threshold

    def everybody(self) -> dict[str, Any]:
        """Return all persons as columns: base64 of little-endian numbers, a value a person.

        Dates are days since 0001-01-01, which is 1; 0 where no medium has a date.
        """
        numbers, facts = self._people.table()
        values = dict(zip(FACTS, facts.T, strict=True))
        columns = {
            "identity": numbers,
            "media": values["media"],
            "faces": values["faces"],
            "screen_time_s": values["milliseconds"] / 1000,
            "first_day": values["first_day"],
            "last_day": values["last_day"],
        }
        log = self._people.log
        present = set(numbers.tolist())
        return {
            "store": label(self._store.name),
            **self.at(),
            "threshold": self._threshold,
            "columns": {
                name: base64.b64encode(column.astype(_TYPES.get(name, "<i4")).tobytes()).decode()
                for name, column in columns.items()
            },
            "names": {str(n): name for n, name in log.names.items() if n in present},
            "last": self._last(),
        }

    def at(self) -> dict[str, Any]:
        """Return what changes whenever somebody changes the archive."""
        return {"at": f"{self._store.version} {len(self._people.log.events)}"}

    def person(self, identity: int, *, appearances: int = FIRST_APPEARANCES) -> dict[str, Any]:
        """Return a person, their appearances, and who may be the same, the nearest first.

        Args:
            identity: Number of the person, or of somebody who was merged into them.
            appearances: How many at most.

        Raises:
            UsageError: There is nobody of this number.
        """
        person = self._people.person(identity)
        seen_in = self._people.seen_in(person.identity)
        return {
            **_plain(person),
            "seen_in": [
                {
                    "appearance": one.appearance,
                    "medium": one.medium,
                    "date": one.date,
                    "person_id": one.person_id,
                    "faces": one.faces,
                    "screen_time_s": one.screen_time_s,
                }
                for one in seen_in[:appearances]
            ],
            "appearances": len(seen_in),
            "alike": self._alike(person.identity),
        }

    def portraits(self, identities: Iterable[int]) -> dict[str, str]:
        """Return a portrait of each person, a JPEG in base64; empty where there is none."""
        return {str(identity): self._portrait(identity) for identity in identities}

    def pictures(self, places: Sequence[Place]) -> dict[str, str]:
        """Return the portraits of appearances, by their names; empty where there is none."""
        jpegs = self._store.records.portraits(places)
        return {
            f"{call}:{row}": base64.b64encode(jpeg).decode()
            for (call, row), jpeg in zip(places, jpegs, strict=True)
        }

    def history(self, limit: int) -> list[dict[str, Any]]:
        """Return the last events, the last first."""
        return [asdict(line) for line in self.session.history(limit)]

    def doubts(self, identity: int, other: int) -> list[str]:
        """Return why it is not plain that two persons are one, in words.

        Raises:
            UsageError: One is not there, or they are one person already.
        """
        first, second = self._people.person(identity), self._people.person(other)
        self._people.log.require_two(identity, other)
        doubts: list[str] = []
        media = self._people.shared_media(identity, other)
        if media:
            rest = f" and {len(media) - 1} more" if len(media) > 1 else ""
            # Calls of programs name no medium.
            which = PurePath(media[0]).name or "one medium"
            doubts.append(f"Both are in {which}{rest}, where they were told apart.")
        if first.name and second.name and first.name != second.name:
            doubts.append(f"{first.identity} is {first.name}, and {second.identity} {second.name}.")
        return doubts

    def _last(self) -> dict[str, Any] | None:
        number = last_event(self._people.log.events)
        if number is None:
            return None
        return {"event": number, "what": str(self._people.log.events[number - 1])}

    def _alike(self, identity: int) -> list[dict[str, Any]]:
        """Return who may be the same: nobody who is in one medium with the person.

        The margin is by how much the next one is farther, from the nearer one of the two; below 0
        where one of them has somebody nearer.
        """
        nearest = self._people.alike(identity, limit=ALIKE + _LEFT_OUT)
        shown = []
        for one in islice(self._offered(identity, nearest), ALIKE):
            # Also who is not offered: one who is beside the person in a medium may look like both.
            others = [other.distance for other in nearest[:2] if other is not one]
            others += [
                other.distance
                for other in self._people.alike(one.person.identity, limit=2)
                if other.person.identity != identity
            ]
            shown.append(
                {
                    **_plain(one.person),
                    "distance": one.distance,
                    "margin": round(min(others) - one.distance, 4) if others else None,
                }
            )
        return shown

    def _offered(self, identity: int, nearest: Iterable[Alike]) -> Iterable[Alike]:
        reach = REACH * self._threshold
        for one in nearest:
            if one.distance > reach:
                return
            if not self._people.shared_media(identity, one.person.identity):
                yield one

    def _portrait(self, identity: int) -> str:
        """Return the first portrait of a person; only the first media of an identity have one."""
        records = self._store.records
        for member in self._people.log.members(self._people.log.person(identity)):
            places = [(call, row) for call, row, _ in records.appearances(member)]
            for start in range(0, len(places), _LEFT_OUT):
                for jpeg in records.portraits(places[start : start + _LEFT_OUT]):
                    if jpeg:
                        return base64.b64encode(jpeg).decode()
        return ""


def label(name: str) -> str:
    """Return what a page calls a store: the file without its folder, or the server."""
    path = Path(name)
    return path.name if path.is_file() else name


def _plain(person: ArchivePerson) -> Mapping[str, Any]:
    return {**asdict(person), "members": list(person.members)}
