"""Records of an identity store: identities, settings of matching, counters."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from analyzer.errors import UsageError
from analyzer.types import F32, I64
from analyzer.types.arrays import Arrays, check, require_finite

_LENGTH_TOLERANCE = 1e-3
_WIDEST = 1.4
"""Below the distance of vectors at right angles, so that a row of zeros matches no identity."""


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
    if not np.allclose(np.linalg.norm(centroids, axis=1), 1, atol=_LENGTH_TOLERANCE):
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

    def __post_init__(self) -> None:
        if not isinstance(self.model, str) or not isinstance(self.refine, int):
            raise TypeError("settings of another type")
        if not 0 < self.threshold <= _WIDEST:
            raise UsageError(f"threshold {self.threshold}: give one above 0, up to {_WIDEST}")
        if self.refine < 1:
            raise UsageError(f"refine {self.refine}: give 1 or more")

    @property
    def least(self) -> float:
        """Cosine that the threshold stands for."""
        return 1 - self.threshold**2 / 2


@dataclass(frozen=True, kw_only=True, repr=False)
class StoredIdentity(Arrays):
    """One person, as a store knows them."""

    id: int
    """From 0; never given to another person, also when this one is forgotten."""
    centroid: F32
    """(D,) of length one."""
    updates: int
    """How many embeddings the centroid is made of."""
    faces: int
    """How many faces were counted."""

    def __post_init__(self) -> None:
        check("Identity", "centroid", self.centroid, np.float32, (None,))
        require_direction(self.centroid[None])


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
class Changes(Arrays):
    """Identities that changed since a version, the oldest change first; not always all of them."""

    version: int
    """Up to which version they go."""
    newest: int
    """Version of the store: more are to be asked for where it is higher."""
    ids: I64
    """(k,)."""
    centroids: tuple[bytes, ...]
    """k vectors, little-endian float32; empty where the identity was forgotten."""
    updates: I64
    """(k,)."""
    anew: bool = False
    """Whether they are to be counted from version 0: the store may have lost its last changes."""

    def __post_init__(self) -> None:
        check("Changes", "ids", self.ids, np.int64, (len(self.centroids),))
        check("Changes", "updates", self.updates, np.int64, (len(self.centroids),))
        if not all(isinstance(number, int) for number in (self.version, self.newest)):
            raise TypeError("a version that is no number")
        if len(self.ids) and not (self.ids.min() >= 0 and self.ids.max() < MAX_IDENTITIES):
            raise ValueError("an identity of an impossible number")
        alive = [centroid for centroid in self.centroids if centroid]
        if len({len(centroid) for centroid in alive}) > 1:
            raise ValueError("identities of different dimensions")
        if alive:
            require_direction(np.frombuffer(b"".join(alive), "<f4").reshape(len(alive), -1))


@dataclass(frozen=True, kw_only=True, repr=False)
class Commit(Arrays):
    """What one call changes, all of it or nothing."""

    version: int
    """Of the store that it was worked out from; no other may be changed."""
    key: str
    """Of the call: what was said before is not said again."""
    ids: I64
    """(n,) identity of each embedding: the answer."""
    moved: I64
    """(c,) identities with new centroids."""
    centroids: F32
    """(c, D)."""
    updates: I64
    """(c,)."""
    counted: I64
    """(m,) identities that faces were counted for."""
    faces: I64
    """(m,)."""
    detected: int
    """Faces found; see `Counters`."""

    def __post_init__(self) -> None:
        c, m = len(self.moved), len(self.counted)
        check("Commit", "ids", self.ids, np.int64, (len(self.ids),))
        check("Commit", "moved", self.moved, np.int64, (c,))
        check("Commit", "centroids", self.centroids, np.float32, (c, None))
        check("Commit", "updates", self.updates, np.int64, (c,))
        check("Commit", "counted", self.counted, np.int64, (m,))
        check("Commit", "faces", self.faces, np.int64, (m,))

    @property
    def embedded(self) -> int:
        """Faces of all identities."""
        return int(self.faces.sum())
