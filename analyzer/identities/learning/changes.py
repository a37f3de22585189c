"""What another threshold would change, told before it is set."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from analyzer.identities import IdentityStore
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.learning.suggestions import REACH, Suggestion, Suggestions
from analyzer.identities.records import StoredAppearance, damage_named

_LOOKED_AT = 2000
"""People, those seen most: all their appearances are read."""


@dataclass(frozen=True, kw_only=True)
class Parted:
    """An appearance that would not be matched any more."""

    identity: int
    name: str | None
    appearance: str
    distance: float
    """Of the appearance to its identity's mean of now."""


@dataclass(frozen=True, kw_only=True)
class ThresholdChange:
    """What a threshold would change for media that come from then on."""

    offered_before: int
    """Pairs that are suggested, up to `MOST_PAIRS`."""
    offered_after: int
    taken_for_one: int
    """Pairs of people who are matched as one if somebody like them comes, and were not before."""
    told_apart: int
    """Appearances that are farther from their person, and would become somebody new."""
    first_pairs: tuple[Suggestion, ...]
    """Some of those pairs, the nearest first."""
    first_parted: tuple[Parted, ...]
    """Some of those appearances, the farthest first."""


def change_of(
    store: IdentityStore, people: PeopleOfArchive, threshold: float, *, shown: int
) -> ThresholdChange:
    """Return what another threshold would change.

    Args:
        store: Open.
        people: Its people.
        threshold: The other one.
        shown: How many pairs and appearances are named.
    """
    suggestions, before = Suggestions(store, people), people.threshold
    widest = max(before, threshold) * REACH
    pairs = list(suggestions.pairs(widest))
    distances = np.array([distance for _, _, distance in pairs])
    taken = [pair for pair in pairs if before <= pair[2] < threshold]
    parted = sorted(
        _parted(store, people, threshold, before), key=lambda one: (-one.distance, one.appearance)
    )
    return ThresholdChange(
        offered_before=int((distances < before * REACH).sum()),
        offered_after=int((distances < threshold * REACH).sum()),
        taken_for_one=len(taken),
        told_apart=len(parted),
        first_pairs=tuple(suggestions.of_pair(*pair) for pair in islice(taken, shown)),
        first_parted=tuple(parted[:shown]),
    )


def _parted(
    store: IdentityStore, people: PeopleOfArchive, least: float, most: float
) -> Iterator[Parted]:
    """Yield the appearances that are between two distances from their identity's mean."""
    if least >= most:
        return
    for person in people.most("media", limit=_LOOKED_AT):
        for member in person.members:
            for place, distance in _distances(store, member):
                if least <= distance < most:
                    yield Parted(
                        identity=person.identity,
                        name=person.name,
                        appearance=place,
                        distance=round(distance, 4),
                    )


def _distances(store: IdentityStore, identity: int) -> Iterator[tuple[str, float]]:
    """Yield the appearances of an identity, and their distances to its mean."""
    stored = store.get(identity)
    with damage_named(store.name):
        appearances = [
            StoredAppearance.unpack(*packed) for packed in store.records.appearances(identity)
        ]
    # One appearance is its own mean.
    if stored is None or len(appearances) < 2:
        return
    for one in appearances:
        yield f"{one.call}:{one.row}", float(np.linalg.norm(one.embedding - stored.centroid))
