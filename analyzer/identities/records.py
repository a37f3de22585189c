"""Records of an identity store: identities, settings of matching, counters."""

import json
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field

import numpy as np

from analyzer.errors import UsageError
from analyzer.identities.log.events import Place
from analyzer.types import F32, I64
from analyzer.types.arrays import Arrays, check, require_finite
from ina_input import documents

_LENGTH_TOLERANCE = 1e-3
WIDEST = 1.4
"""Below the distance of vectors at right angles, so that a row of zeros matches no identity."""


FACTS = ("updates", "faces", "media", "milliseconds", "first_day", "last_day")
"""Numbers of an identity that stand before the centroid in its row."""
FACTS_BYTES = 8 * len(FACTS)
_APPEARANCE = struct.Struct("<5q")

MAX_IDENTITIES = 1 << 27
"""Most that a store may have; a number beyond is damage, and would make room for all before it."""


class OtherCall(ValueError):
    """The key of a call is that of an earlier one with another number of embeddings."""


def require_direction(centroids: F32) -> None:
    """Require that centroids (n, D) are finite, and of length one.

    Raises:
        ValueError: One is not.
    """
    require_finite("identity", {"centroid": centroids})
    # Damage, or ciphertext, may be numbers with squares that are too large.
    with np.errstate(over="ignore"):
        lengths = np.linalg.norm(centroids, axis=1)
    if not (np.abs(lengths - 1) <= _LENGTH_TOLERANCE).all():
        raise ValueError("identity: a centroid that is not of length one")


@contextmanager
def damage_named(name: str) -> Iterator[None]:
    """Raise a `UsageError` for a store that holds what no store of ours does.

    Args:
        name: Name of the store, as people may read it.

    Raises:
        UsageError: What is read is damaged, or not finite.
    """
    try:
        yield
    except (AttributeError, LookupError, OverflowError, TypeError, ValueError, struct.error) as e:
        raise UsageError(
            f"{name}: not what an identity store holds ({e}): put a copy back, or give another"
        ) from e


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a store matches; fixed by who makes it, so that all its users match alike."""

    model: str
    """Name of the network that the embeddings are of: others are not comparable."""
    threshold: float
    """Euclidean distance of embeddings of length one, below which two are one person."""
    refine: int = 50
    """How many embeddings a centroid is made of at most; after that it stays."""
    cipher: str = field(default="", compare=False, repr=False)
    """Mark of an encrypted store, by which its key is known; empty where nothing is encrypted."""

    def __post_init__(self) -> None:
        texts = isinstance(self.model, str) and isinstance(self.cipher, str)
        if not (texts and isinstance(self.refine, int)):
            raise TypeError("settings of another type")
        if not 0 < self.threshold <= WIDEST:
            raise UsageError(f"threshold {self.threshold}: give one above 0, up to {WIDEST}")
        if self.refine < 1:
            raise UsageError(f"refine {self.refine}: give 1 or more")

    @property
    def least(self) -> float:
        """Cosine that the threshold stands for."""
        return least_cosine(self.threshold)


def least_cosine(distance: float) -> float:
    """Return the cosine of vectors of length one that a Euclidean distance stands for."""
    return 1 - distance**2 / 2


@dataclass(frozen=True, kw_only=True, repr=False)
class StoredIdentity(Arrays):
    """One identity, as a store knows it."""

    id: int
    """From 0; never given to another person, also when this one is forgotten."""
    centroid: F32
    """(D,) of length one."""
    updates: int
    """How many embeddings the centroid is made of."""
    faces: int
    """How many faces were counted."""
    media: int
    """In how many media."""
    milliseconds: int
    """On screen, in all media."""
    first_day: int
    """Date of its first medium, as `datetime.date.toordinal`; 0 where no medium has a date."""
    last_day: int
    """Date of its last medium."""

    def __post_init__(self) -> None:
        check("Identity", "centroid", self.centroid, np.float32, (None,))
        require_direction(self.centroid[None])

    def pack(self) -> bytes:
        """Return the row that stands for it: facts, then the centroid as little-endian float32."""
        facts = np.array([getattr(self, name) for name in FACTS], "<i8")
        return facts.tobytes() + self.centroid.astype("<f4").tobytes()

    @classmethod
    def unpack(cls, identity: int, row: bytes) -> "StoredIdentity":
        """Read a row.

        Raises:
            ValueError: It is none.
        """
        facts, centroids = unpack_rows([row])
        return cls(
            id=identity,
            centroid=centroids[0],
            **dict(zip(FACTS, facts[0].tolist(), strict=True)),
        )


def unpack_rows(rows: Sequence[bytes]) -> tuple[I64, F32]:
    """Read rows of identities that are there.

    Returns:
        (n, 6) facts, in the order of `FACTS`; (n, D) centroids.

    Raises:
        ValueError: They are none, or of different dimensions.
    """
    size = len(rows[0]) if rows else FACTS_BYTES
    if set(map(len, rows)) - {size}:
        raise ValueError("identities of different dimensions")
    table = np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), size)
    facts = table[:, :FACTS_BYTES].copy().view("<i8").astype(np.int64)
    centroids = table[:, FACTS_BYTES:].copy().view("<f4").astype(np.float32)
    require_direction(centroids)
    if (facts < 0).any():
        raise ValueError("an identity with a number below 0")
    return facts, centroids


@dataclass(frozen=True, kw_only=True)
class MediumRecord:
    """The medium of a call, and the persons in it that the embeddings are of."""

    path: str
    """Where it is, as it was analysed."""
    day: int = 0
    """Its date, as `datetime.date.toordinal`; 0 where it has none."""
    person_ids: tuple[int, ...]
    """Number of each person in the medium's report."""
    milliseconds: tuple[int, ...]
    """On screen, of each."""
    portraits: Callable[[Sequence[int]], Mapping[int, bytes]] = field(default=lambda _: {})
    """Takes places in `person_ids`, and returns the JPEGs that can be had of them; it is called for
    persons of identities that have few."""


@dataclass(frozen=True, kw_only=True)
class CallRecord:
    """What a store keeps of a call."""

    ids: tuple[int, ...]
    """Identity of each embedding: the answer."""
    path: str = ""
    day: int = 0

    def pack(self) -> bytes:
        """Return it as JSON; in ASCII, as a path may have bytes that are no text."""
        return json.dumps(asdict(self), separators=(",", ":")).encode("ascii")

    @classmethod
    def unpack(cls, packed: bytes) -> "CallRecord":
        """Read it.

        Raises:
            ValueError: It is none; also `LookupError` and `TypeError`.
        """
        values = documents.parse(packed)
        ids = tuple(map(int, values["ids"]))
        return cls(ids=ids, path=str(values["path"]), day=int(values["day"]))


@dataclass(frozen=True, kw_only=True, repr=False)
class StoredAppearance(Arrays):
    """One person of one medium."""

    call: int
    """Number of the call that matched it."""
    row: int
    """Number of its embedding in that call."""
    embedding: F32
    """(D,) of length one."""
    person_id: int
    """Number of the person in the medium's report."""
    faces: int
    milliseconds: int
    """On screen."""
    updates: int = 1
    """How many embeddings it stands for."""
    media: int = 1
    """How many media it stands for: more than one where a store of an older form was taken over."""

    def pack(self) -> bytes:
        """Return it without its place."""
        numbers = (self.person_id, self.faces, self.milliseconds, self.updates, self.media)
        return _APPEARANCE.pack(*numbers) + self.embedding.astype("<f4").tobytes()

    @classmethod
    def unpack(cls, call: int, row: int, packed: bytes) -> "StoredAppearance":
        """Read it.

        Raises:
            ValueError: It is none; also `struct.error`.
        """
        person_id, faces, milliseconds, updates, media = _APPEARANCE.unpack_from(packed)
        embedding = np.frombuffer(packed, "<f4", offset=_APPEARANCE.size).astype(np.float32)
        require_direction(embedding[None])
        return cls(
            call=call,
            row=row,
            embedding=embedding,
            person_id=person_id,
            faces=faces,
            milliseconds=milliseconds,
            updates=updates,
            media=media,
        )


@dataclass(frozen=True, kw_only=True)
class Counters:
    """Faces that went through a store: `embedded == saved + forgotten`."""

    detected: int = 0
    """Faces that callers found, whether they have an embedding or not."""
    embedded: int = 0
    """Faces that embeddings were given for."""
    saved: int = 0
    """Faces of the identities that are there: the sum of their `faces`."""
    forgotten: int = 0
    """Faces of identities that were forgotten."""
    identities: int = 0
    """Identities that are there."""

    def __str__(self) -> str:
        forgotten = f", {self.forgotten} forgotten" if self.forgotten else ""
        return (
            f"{self.identities} people known, {self.saved} faces saved{forgotten}, "
            f"{self.detected} detected"
        )


@dataclass(frozen=True, kw_only=True, repr=False)
class Matches(Arrays):
    """Who embeddings are."""

    ids: I64
    """(n,) -1 = no identity."""
    distances: F32
    """(n,) Euclidean distance to the nearest identity; infinite where there is none."""

    def __post_init__(self) -> None:
        check("Matches", "ids", self.ids, np.int64, (len(self.ids),))
        check("Matches", "distances", self.distances, np.float32, (len(self.ids),))


@dataclass(frozen=True, kw_only=True, repr=False)
class StoreChanges(Arrays):
    """What changed since a version, the oldest change first; not always all of it."""

    version: int
    """Up to which version the identities go."""
    newest: int
    """Version of the store: more are to be asked for where it is higher."""
    ids: I64
    """(k,)."""
    rows: tuple[bytes, ...]
    """k rows; empty where the identity is not there any more."""
    entries: tuple[bytes, ...]
    """All new entries of the log."""
    anew: bool = False
    """Whether all are to be read again: the store may have lost its last changes."""

    def __post_init__(self) -> None:
        check("StoreChanges", "ids", self.ids, np.int64, (len(self.rows),))
        if not all(isinstance(number, int) for number in (self.version, self.newest)):
            raise TypeError("a version that is no number")
        if len(self.ids) and not (self.ids.min() >= 0 and self.ids.max() < MAX_IDENTITIES):
            raise ValueError("an identity of an impossible number")


@dataclass(frozen=True, kw_only=True)
class StoreChange:
    """What is written at once, all of it or nothing."""

    version: int | None
    """Of the store that it was worked out from, and no other may be changed; `None` for any."""
    events: int
    """Length of the log that it was worked out from; no other may be changed."""
    rows: tuple[tuple[int, bytes], ...] = ()
    """Identities and their rows from now on; empty rows of those that are not there any more."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """What is added to counters."""
    key: str | None = None
    """Of the call: one that was answered is not answered again."""
    number: int | None = None
    """That the call must get, where its record is bound to it; `None` for any."""
    record: bytes = b""
    """Of the call."""
    appearances: tuple[tuple[int, bytes, bytes], ...] = ()
    """Identity, record and portrait of each row of the call."""
    moved: tuple[tuple[int, int, int], ...] = ()
    """Call and row of appearances, and the identity that has them from now on."""
    erased: tuple[Place, ...] = ()
    """Appearances that are not kept any more, with their portraits."""
    entries: tuple[bytes, ...] = ()
    """New entries of the log."""
    rewritten: tuple[tuple[int, bytes], ...] = ()
    """Entries of the log from which something was erased, by number."""


@dataclass(frozen=True, kw_only=True)
class StoreRewrite:
    """Other forms of all values, written at once: every value is there in one form or the other."""

    events: int
    """Length of the log that it was worked out from; no other may be changed."""
    settings: Settings
    """From now on."""
    value: Callable[[str, Sequence[int], bytes], bytes]
    """Takes a table, a place in it and the value there, and returns it as it is to be."""
    call: Callable[[int, str, bytes], tuple[str, bytes]]
    """Takes number, key and record of a call, and returns key and record as they are to be."""
    entry: bytes
    """New entry of the log."""
