"""Pairs of people of an archive who may be one."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from analyzer.identities import IdentityStore
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.records import WIDEST, least_cosine
from analyzer.types import F32, I64

REACH = 1.5
"""Suggestions are as far as this, in thresholds: what is nearer than one is matched by itself."""
MOST_PAIRS = 10_000
"""The nearest ones that are looked at; so a dense archive needs no more memory."""
_COMPARISONS = 1 << 30
"""Of means; about 10 s on two cores. In an archive with more, who is seen most is compared."""
_AT_ONCE = 256


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """Two people who may be one."""

    distance: float
    """Euclidean, between the nearest means of the two."""
    margin: float | None
    """By how much the next person is farther, from the nearer one of the two; below 0 where one of
    them has somebody nearer. `None`: nobody else is nearer than at a right angle."""
    identity: int
    """Number of the one who is seen more."""
    name: str | None
    media: int
    """In how many media."""
    other_identity: int
    """Number of the other one."""
    other_name: str | None
    other_media: int


class Suggestions:
    """Who may be one in an archive.

    Left out are pairs that were said to be different, those in one medium together, and those of
    different names.

    Args:
        store: Open.
        people: Its people.
    """

    def __init__(self, store: IdentityStore, people: PeopleOfArchive) -> None:
        self._store = store
        self._people = people

    def reach(self) -> float:
        """Return how far apart two may be to be suggested, by the threshold that holds."""
        return min(WIDEST, REACH * self._people.threshold)

    def nearest(self, *, limit: int, within: float | None = None) -> list[Suggestion]:
        """Return pairs, the nearest first.

        Args:
            limit: How many at most.
            within: Distance above which none is suggested; `None` for `reach`.
        """
        pairs = self.pairs(self.reach() if within is None else within)
        return [self.of_pair(*pair) for pair in islice(pairs, limit)]

    def pairs(self, within: float) -> Iterator[tuple[int, int, float]]:
        """Yield the persons of pairs and their distance, the nearest first; `MOST_PAIRS` at most.

        Args:
            within: Distance above which none is yielded.
        """
        for person, other, cosine in zip(
            *self._candidates(least_cosine(min(WIDEST, within))), strict=True
        ):
            if self._may_be_one(int(person), int(other)):
                yield int(person), int(other), _distance(float(cosine))

    def of_pair(self, person: int, other: int, distance: float) -> Suggestion:
        """Return what is told of a pair."""
        first, second = sorted(
            (self._people.person(person), self._people.person(other)),
            key=lambda one: (-one.media, -one.faces, one.identity),
        )
        next_ones = [
            alike.distance
            for one, partner in ((person, other), (other, person))
            for alike in self._people.alike(one, limit=2)
            if alike.person.identity != partner
        ]
        return Suggestion(
            distance=distance,
            margin=round(min(next_ones) - distance, 4) if next_ones else None,
            identity=first.identity,
            name=first.name,
            media=first.media,
            other_identity=second.identity,
            other_name=second.name,
            other_media=second.media,
        )

    def is_partial(self) -> bool:
        """Return whether only those who are seen most were compared with all others."""
        return len(self._compared()) < len(self._people)

    def _compared(self) -> I64:
        """Return the identities that are compared with all, by number."""
        media = self._people.media_of_identities()
        present = np.flatnonzero(media > 0)
        most = max(1, _COMPARISONS // max(1, len(media)))
        if len(present) <= most:
            return present
        return np.sort(present[np.argsort(-media[present], kind="stable")[:most]])

    def _candidates(self, least: float) -> tuple[I64, I64, F32]:
        """Return pairs of persons (k,) by a cosine of the nearest means above `least`."""
        person_of = self._people.person_of_identities()
        size = max(1, len(person_of))
        keys, cosines = np.empty(0, np.int64), np.empty(0, np.float32)
        compared = self._compared()
        for start in range(0, len(compared), _AT_ONCE):
            found = self._store.near(compared[start : start + _AT_ONCE], least)
            ones, others = person_of[found[0]], person_of[found[1]]
            is_two = ones != others
            pair = np.minimum(ones, others) * size + np.maximum(ones, others)
            keys, cosines = _best(
                np.concatenate([keys, pair[is_two]]),
                np.concatenate([cosines, found[2][is_two]]),
            )
            if len(keys) == MOST_PAIRS:
                least = max(least, float(cosines[-1]))
        return keys // size, keys % size, cosines

    def _may_be_one(self, person: int, other: int) -> bool:
        log = self._people.log
        names = {log.name(person), log.name(other)} - {None}
        return (
            len(names) < 2
            and not log.are_different(person, other)
            and not self._people.shared_media(person, other)
        )


def _best(keys: I64, cosines: F32) -> tuple[I64, F32]:
    """Return the `MOST_PAIRS` best keys (k,), each once with its highest cosine, the best first."""
    order = np.lexsort((keys, -cosines))
    _, first = np.unique(keys[order], return_index=True)
    kept = order[np.sort(first)][:MOST_PAIRS]
    return keys[kept], cosines[kept]


def _distance(cosine: float) -> float:
    return round(float(np.sqrt(max(0.0, 2 - 2 * cosine))), 4)
