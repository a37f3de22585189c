"""Who is who in an archive, as the events of its store say.

An identity has the number that matching gave it. Merged ones are a person, who is known by the
number of the identity that stayed. An event holds where it makes sense after those before it that
hold; so undoing one is replaying the log without it, and is refused where a later one needs it.
"""

from collections.abc import Iterable, Sequence

from analyzer.errors import UsageError
from analyzer.identities.log.events import (
    Action,
    Different,
    Event,
    Forgotten,
    KeyChanged,
    Merged,
    Named,
    Place,
    Split,
    ThresholdSet,
    Undone,
    forgotten,
    identities_of,
)


class CorrectionRefused(UsageError):
    """An action makes no sense as things are; the message says what to do first."""


class People:
    """State of a store after its events.

    Args:
        events: The log, from event 1.

    Raises:
        CorrectionRefused: It is not a log of ours: an event makes no sense.
    """

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.events: list[Event] = []
        self._split_off: set[int] = set()
        """Numbers that splits gave, those that were undone too."""
        self._clear()
        self.follow(events)

    def _clear(self) -> None:
        self._parent: dict[int, int] = {}
        self._members: dict[int, list[int]] = {}
        self.names: dict[int, str] = {}
        """Of persons, by the number that stays."""
        self._given: dict[int, str] = {}
        """Last name of each identity, also of those that were merged into another."""
        self._apart: dict[int, set[int]] = {}
        self.owners: dict[Place, int] = {}
        """Identity of appearances that were split off; all others are their matching's."""
        self.parts: dict[int, int] = {}
        """Identity that was split off -> the event."""
        self.forgotten: set[int] = set()
        self.threshold: float | None = None
        """Where another one than the store's own was set."""

    def follow(self, events: Iterable[Event]) -> None:
        """Go on with what came after.

        Raises:
            CorrectionRefused: An event makes no sense after those before it.
        """
        new = list(events)
        self._drop_names(forgotten(new))
        self._split_off |= {event.action.part for event in new if isinstance(event.action, Split)}
        if any(isinstance(event.action, Undone) for event in new):
            self.events += new
            self._replay()
            return
        for event in new:
            self.require(event.action)
            self._apply(event)
            self.events.append(event)

    def _drop_names(self, erased: frozenset[int]) -> None:
        """Drop names from events that were read before: the store has dropped them, too."""
        if erased:
            self.events = [
                event.without_name()
                if not erased.isdisjoint(identities_of(event.action))
                else event
                for event in self.events
            ]

    def _replay(self) -> None:
        self._clear()
        undone = undone_events(self.events)
        for event in self.events:
            if event.number in undone or isinstance(event.action, Undone):
                continue
            try:
                self.require(event.action)
            except CorrectionRefused as why:
                raise CorrectionRefused(
                    f"event {event.number} ({event.action.kind}) needs it: {why}"
                ) from None
            self._apply(event)

    # What holds

    def person(self, identity: int) -> int:
        """Return the number that an identity's person is known by."""
        while identity in self._parent:
            identity = self._parent[identity]
        return identity

    def merged(self) -> Iterable[int]:
        """Return the identities that were merged into another."""
        return self._parent.keys()

    def different_from(self, person: int) -> set[int]:
        """Return the persons who were said not to be the same as this one."""
        members = self.members(person)
        return {self.person(other) for m in members for other in self._apart.get(m, ())}

    def members(self, person: int) -> list[int]:
        """Return the identities that a person is made of, the one that stays first."""
        return [person, *self._members.get(person, ())]

    def name(self, identity: int) -> str | None:
        """Return the name of the person of an identity."""
        return self.names.get(self.person(identity))

    def called(self, name: str) -> set[int]:
        """Return the persons of this name, and those that somebody of it was merged into."""
        return {self.person(identity) for identity, given in self._given.items() if given == name}

    def exists(self, identity: int) -> bool:
        """Return whether the log leaves an identity of this number possible."""
        return identity not in self.forgotten and (
            identity not in self._split_off or identity in self.parts
        )

    def are_different(self, identity: int, other: int) -> bool:
        """Return whether it was said of two persons that they are not the same."""
        return self.person(other) in self.different_from(self.person(identity))

    def owner(self, place: Place, matched: int) -> int:
        """Return the identity of an appearance.

        Args:
            place: Which one.
            matched: Identity that matching gave it.
        """
        return self.owners.get(place, matched)

    # What may be said

    def require(self, action: Action) -> None:
        """Require that an action makes sense now.

        Raises:
            CorrectionRefused: It does not.
        """
        if isinstance(action, Undone):
            self._require_undoable(action.event)
            return
        if isinstance(action, Forgotten | ThresholdSet | KeyChanged):
            return
        self._require_person(action.identity)
        if isinstance(action, Merged | Different):
            self._require_person(action.other)
            self.require_two(action.identity, action.other)
        if isinstance(action, Merged) and self.are_different(action.identity, action.other):
            raise CorrectionRefused(
                f"{action.identity} and {action.other} were said to be different: undo that first"
            )
        if isinstance(action, Split):
            self._require_parts(action)

    def require_two(self, identity: int, other: int) -> None:
        """Require that two identities are two persons.

        Raises:
            CorrectionRefused: They are one.
        """
        if self.person(identity) == self.person(other):
            raise CorrectionRefused(f"{identity} and {other} are one person: name two")

    def _require_person(self, identity: int) -> None:
        if identity in self.forgotten:
            raise CorrectionRefused(f"{identity} was forgotten")
        if not self.exists(identity):
            raise CorrectionRefused(f"there is no identity {identity}")
        person = self.person(identity)
        if person != identity:
            raise CorrectionRefused(f"{identity} was merged into {person}: name {person}")

    def _require_parts(self, split: Split) -> None:
        if split.part in self.parts:
            raise CorrectionRefused(f"{split.part} was split off already")
        if not split.appearances:
            raise CorrectionRefused("nothing to split off: name appearances")
        for call, row, matched in split.appearances:
            owner = self.person(self.owner((call, row), matched))
            if owner != split.identity:
                raise CorrectionRefused(
                    f"appearance {call}:{row} is of {owner}, not of {split.identity}"
                )

    def _require_undoable(self, number: int) -> None:
        if not 1 <= number <= len(self.events):
            raise CorrectionRefused(f"there is no event {number}")
        action = self.events[number - 1].action
        if number in undone_events(self.events):
            raise CorrectionRefused(f"event {number} was undone already")
        if isinstance(action, Forgotten):
            raise CorrectionRefused("what was forgotten was erased: nothing can bring it back")
        if isinstance(action, KeyChanged):
            raise CorrectionRefused("a key is changed back by `identities rekey`")
        reverted: Action = action
        while isinstance(reverted, Undone):
            reverted = self.events[reverted.event - 1].action
        gone = sorted(self.forgotten.intersection(identities_of(reverted)))
        if gone:
            raise CorrectionRefused(f"event {number} is about {gone[0]}, who was forgotten")
        self.after(Undone(event=number))

    def after(self, action: Action) -> "People":
        """Return the state after an action.

        Raises:
            CorrectionRefused: It makes no sense, or an event that holds would not any more.
        """
        event = Event(number=len(self.events) + 1, at="", by="", action=action)
        return People([*self.events, event])

    # What changes

    def _apply(self, event: Event) -> None:
        match event.action:
            case Named(identity=identity, name=None):
                self.names.pop(identity, None)
                self._given.pop(identity, None)
            case Named(identity=identity, name=str() as name):
                self.names[identity] = self._given[identity] = name
            case Merged(identity=identity, other=other):
                self._merge(identity, other)
            case Different(identity=identity, other=other):
                self._apart.setdefault(identity, set()).add(other)
                self._apart.setdefault(other, set()).add(identity)
            case Split(part=part, appearances=appearances):
                self.parts[part] = event.number
                self.owners.update({(call, row): part for call, row, _ in appearances})
            case ThresholdSet(threshold=threshold):
                self.threshold = threshold
            case Forgotten(identities=identities):
                self._forget(identities)
            case KeyChanged():
                pass
            case Undone():
                raise AssertionError("an undone event is replayed, not applied")

    def _merge(self, identity: int, other: int) -> None:
        self._members.setdefault(identity, []).extend(self.members(other))
        self._members.pop(other, None)
        self._parent[other] = identity
        name = self.names.pop(other, None)
        if name is not None:
            self.names.setdefault(identity, name)

    def _forget(self, identities: Sequence[int]) -> None:
        self.forgotten.update(identities)
        for identity in identities:
            self.names.pop(identity, None)
            self._given.pop(identity, None)
            self._parent.pop(identity, None)
            self._members.pop(identity, None)


def last_event(events: Sequence[Event]) -> int | None:
    """Return the number of the last event that holds; `None`: there is none.

    Undoings are passed over, and changes of the key. Forgetting is not: what was said before it may
    need what was forgotten, and who undoes is to be told that this does not come back.
    """
    undone = undone_events(events)
    for event in reversed(events):
        if event.number not in undone and not isinstance(event.action, Undone | KeyChanged):
            return event.number
    return None


def undone_events(events: Sequence[Event]) -> set[int]:
    """Return the numbers of events that do not hold, because a later one that holds undid them."""
    undone: set[int] = set()
    for event in reversed(events):
        if isinstance(event.action, Undone) and event.number not in undone:
            undone.add(event.action.event)
    return undone
