"""An identity store that a user looks through and puts right."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from analyzer.errors import UsageError
from analyzer.identities import IdentityStore
from analyzer.identities.address import address, open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections, user_name
from analyzer.identities.encryption import key_file as key_files
from analyzer.identities.encryption.optional import changed_key
from analyzer.identities.log.events import Event, Place
from analyzer.identities.log.people import last_event, undone_events
from analyzer.workflows.archive.learning import LearningArchive


@dataclass(frozen=True, kw_only=True)
class LogLine:
    """An event of the log in words."""

    event: int
    """Its number."""
    at: str
    by: str
    what: str
    holds: bool
    """Whether it was not undone."""


class ArchiveSession:
    """The people of an open store, and what one user says about them.

    Persons are named by a number, or by the whole name that one of them has. What makes no sense as
    things are raises `UsageError`, and changes nothing.

    Args:
        store: Open.
        by: Who says it.

    Attributes:
        people: Those of the store when the session began.
        learning: Who of them may be one, and what answers teach.
    """

    def __init__(self, store: IdentityStore, by: str) -> None:
        self._store = store
        self._by = by
        self.people = PeopleOfArchive(store)
        self._corrections = Corrections(store, by)
        self.learning = LearningArchive(store, self.people, self._corrections)

    def history(self, limit: int) -> list[LogLine]:
        """Return the last events of the log, the last first."""
        events = self.people.log.events
        undone = undone_events(events)
        return [
            LogLine(
                event=event.number,
                at=event.at,
                by=event.by,
                what=str(event),
                holds=event.number not in undone,
            )
            for event in events[: -limit - 1 : -1]
        ]

    def shared_media(self, person: str, other: str) -> list[str]:
        """Return the media in which two persons were told apart."""
        first, second = self._two(person, other)
        self.people.log.require_two(first, second)
        return self.people.shared_media(first, second)

    def name(self, person: str, name: str) -> Event:
        """Give a person a name; an empty one takes it away."""
        return self._corrections.name(self._number(person), name.strip() or None)

    def merge(self, person: str, other: str) -> Event:
        """Say that two are one person; the number of the first stays."""
        return self._corrections.merge(*self._two(person, other))

    def confirm(self, person: str, other: str) -> Event:
        """Say that a suggestion is right: the two are one person."""
        return self.learning.confirm(*self._two(person, other))

    def say_different(self, person: str, other: str) -> Event:
        """Say that two persons are not the same."""
        return self._corrections.say_different(*self._two(person, other))

    def split(self, person: str, appearances: Sequence[str]) -> Event:
        """Say that appearances are of somebody else.

        Args:
            person: Who has them.
            appearances: As `SeenIn.appearance` names them.
        """
        identity = self._number(person)
        return self._corrections.split(identity, [_place(text) for text in appearances])

    def undo(self, number: int | None) -> Event:
        """Take an event back; `None` for the last one that may be."""
        if number is None:
            number = last_event(self.people.log.events)
        if number is None:
            raise UsageError("nothing was said yet: there is nothing to undo")
        return self._corrections.undo(number)

    def rekey(self, old: str | None, new: str | None) -> tuple[Event, str]:
        """Write all of the store anew with another key; the session cannot go on after that.

        Args:
            old: File with the key that it has; `None` where it is not encrypted.
            new: File with the new one; `None` decrypts it.

        Returns:
            The event; what the user must do about files that keep the old form, or nothing.
        """
        event = changed_key(self._store, key_files.read(old), key_files.read(new), by=self._by)
        return event, self._store.records.scrub()

    def _number(self, person: str) -> int:
        return self.people.find(person).identity

    def _two(self, person: str, other: str) -> tuple[int, int]:
        return self._number(person), self._number(other)


@contextmanager
def opened(text: str, *, key_file: str | None = None) -> Iterator[IdentityStore]:
    """Open a store that is there.

    Args:
        text: A path, an address, or `@FILE` with either.
        key_file: File with its key, if it is encrypted.
    """
    url = address(text, default=Path(text))
    store = open_store(url, settings=None, key=key_files.read(key_file))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def archive_session(
    text: str, by: str | None, *, key_file: str | None = None
) -> Iterator[ArchiveSession]:
    """Open a store that is there for a user.

    Args:
        text: A path, an address, or `@FILE` with either.
        by: Who says it; `None` for the name of the user.
        key_file: File with the store's key, if it is encrypted.
    """
    with opened(text, key_file=key_file) as store:
        yield ArchiveSession(store, by or user_name())


def make_key(path: Path) -> None:
    """Write a key for encrypted stores to a new file that only its owner may read."""
    key_files.make(path)


def _place(text: str) -> Place:
    call, _, row = text.partition(":")
    if not (call.isdecimal() and row.isdecimal()):
        raise UsageError(f"{text}: name an appearance as `identities show` does, such as 4:0")
    return int(call), int(row)
