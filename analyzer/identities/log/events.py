"""Events of an identity store: what people said about its identities, one after the other.

Matching says who a person of a medium is; people put it right. Each correction is an event at the
end of a log. What holds now follows from the log alone (`analyzer.identities.log.people`).
"""

import json
from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, fields, replace
from datetime import datetime, timezone
from typing import Any, ClassVar

from ina_input import documents

Place = tuple[int, int]
"""An appearance: number of the call that matched it, and its row there."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """Somebody was given a name."""

    kind: ClassVar = "named"
    identity: int
    name: str | None
    """`None` takes the name away; so does forgetting."""


@dataclass(frozen=True, kw_only=True)
class _OfTwo:
    """What is said of two identities."""

    identity: int
    other: int
    distance: float
    """Between the two, when it was said: by what such answers are learnt from."""


@dataclass(frozen=True, kw_only=True)
class Merged(_OfTwo):
    """Two identities are one person; the number of the first stays."""

    kind: ClassVar = "merged"


@dataclass(frozen=True, kw_only=True)
class Split:
    """Some appearances of an identity are another person's."""

    kind: ClassVar = "split"
    identity: int
    part: int
    """Number of the other person, a new one."""
    appearances: tuple[tuple[int, int, int], ...]
    """Call, row, and the identity that owned each, before any merge."""
    distance: float | None = None
    """Between the means of both, when it was said; older logs lack it."""


@dataclass(frozen=True, kw_only=True)
class Different(_OfTwo):
    """Two identities are not the same person."""

    kind: ClassVar = "different"


@dataclass(frozen=True, kw_only=True)
class ThresholdSet:
    """New persons are matched with another threshold."""

    kind: ClassVar = "threshold"
    threshold: float
    """Euclidean distance of embeddings of length one."""


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """Everything that is known of somebody was erased."""

    kind: ClassVar = "forgotten"
    identities: tuple[int, ...]
    """The person's numbers, those of merged identities too."""


@dataclass(frozen=True, kw_only=True)
class KeyChanged:
    """All values of the store were written anew, with another key or with none."""

    kind: ClassVar = "key"
    encrypted: bool
    """Whether they are encrypted since."""


@dataclass(frozen=True, kw_only=True)
class Undone:
    """An earlier event does not hold any more; undone itself, it holds again."""

    kind: ClassVar = "undone"
    event: int


Action = Named | Merged | Split | Different | ThresholdSet | Forgotten | KeyChanged | Undone
_ACTIONS: dict[str, type[Action]] = {
    action.kind: action
    for action in (*(Named, Merged, Split, Different, ThresholdSet, Forgotten, KeyChanged, Undone),)
}


@dataclass(frozen=True, kw_only=True)
class Event:
    """An entry of the log."""

    number: int
    """From 1, in the order of the log."""
    at: str
    """Time in UTC, ISO 8601."""
    by: str
    """Who did it: a user's name, or that of a program."""
    action: Action

    def __str__(self) -> str:
        """Return what it says, in words."""
        match self.action:
            case Named(identity=identity, name=str() as name):
                return f"{identity} is {name}"
            case Named(identity=identity):
                return f"{identity} has no name"
            case Merged(identity=identity, other=other):
                return f"{other} is the same person as {identity}"
            case Different(identity=identity, other=other):
                return f"{identity} and {other} are different people"
            case Split(identity=identity, part=part, appearances=appearances):
                plural = "s" if len(appearances) > 1 else ""
                return (
                    f"{len(appearances)} appearance{plural} of {identity}: another person, {part}"
                )
            case ThresholdSet(threshold=threshold):
                return f"people are matched with the threshold {threshold:g}"
            case Forgotten(identities=identities):
                return f"{', '.join(map(str, identities))} forgotten"
            case KeyChanged(encrypted=encrypted):
                return "encrypted with a new key" if encrypted else "no longer encrypted"
            case Undone(event=number):
                return f"event {number} undone"

    def pack(self) -> bytes:
        """Return the entry as JSON, without its number, which is its place in the log."""
        entry = {"at": self.at, "by": self.by, "kind": self.action.kind, **asdict(self.action)}
        return json.dumps(entry, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def unpack(cls, number: int, packed: bytes) -> "Event":
        """Read an entry.

        Raises:
            ValueError: It is none; also `LookupError` and `TypeError`.
        """
        entry = documents.parse(packed)
        kind = _ACTIONS[entry["kind"]]
        values = {
            field.name: _tuples(entry[field.name])
            for field in fields(kind)
            if field.name in entry or field.default is MISSING
        }
        return cls(number=number, at=entry["at"], by=entry["by"], action=kind(**values))

    def without_name(self) -> "Event":
        """Return the entry as forgetting leaves it: without what tells who it was about."""
        if not isinstance(self.action, Named):
            return self
        return replace(self, action=replace(self.action, name=None))


def event_now(action: Action, *, by: str, number: int) -> Event:
    """Return the entry of an action that happens now."""
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    return Event(number=number, at=at, by=by, action=action)


def identities_of(action: Action) -> tuple[int, ...]:
    """Return the identities that an action names."""
    match action:
        case Named(identity=identity):
            return (identity,)
        case Merged(identity=identity, other=other) | Different(identity=identity, other=other):
            return (identity, other)
        case Split(identity=identity, part=part):
            return (identity, part)
        case Forgotten(identities=identities):
            return identities
        case _:
            return ()


def forgotten(events: Iterable[Event]) -> frozenset[int]:
    """Return the identities that events erase.

    All that is derived from a store drops them when it follows its log to such an event: copies in
    memory, snapshots, caches. Called in each place that keeps something of identities.
    """
    erased = (e.action.identities for e in events if isinstance(e.action, Forgotten))
    return frozenset(identity for identities in erased for identity in identities)


def _tuples(value: Any) -> Any:
    """Return a value of JSON with tuples for its lists."""
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
