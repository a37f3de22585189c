"""Who is to be forgotten, and a report without them.

Times, boxes and perceived attributes of the faces stay, as those of a person without a name: alone,
they tell nobody apart from others. What does, goes: embeddings, the mean of them, names, candidates
for names, portraits.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analyzer.identities import IdentityStore
from analyzer.types import MediaReport, Person


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Who is to be forgotten, by one of three."""

    name: str | None = None
    """As a gallery has it."""
    person_id: int | None = None
    """Of one medium."""
    identities: frozenset[int] = frozenset()
    """Of a store; with a name or a person, those that they were found to be."""

    def __str__(self) -> str:
        if self.name is not None:
            return self.name
        if self.person_id is not None:
            return f"person:{self.person_id}"
        return ", ".join(f"identity:{number}" for number in sorted(self.identities))


def persons_in(report: MediaReport, wanted: Wanted, store: IdentityStore | None) -> set[int]:
    """Which persons of a medium are to be forgotten.

    Those of another name are left alone, even if a store takes them for the same: it errs, too.

    Args:
        report: of the medium.
        wanted: who.
        store: in which the identities are.
    """
    found = {p.person_id for p in report.persons if _is_meant(p, wanted)}
    if store is not None and wanted.identities:
        named = {p.person_id: p.name for p in report.persons}
        for person, (identity, _) in look_up(report, store).items():
            other = wanted.name is not None and named.get(person) not in (None, wanted.name)
            if identity in wanted.identities and not other:
                found.add(person)
    return found


def _is_meant(person: Person, wanted: Wanted) -> bool:
    if wanted.name is not None:
        return person.name == wanted.name
    return person.person_id == wanted.person_id


def look_up(report: MediaReport, store: IdentityStore) -> Mapping[int, tuple[int, float]]:
    """Identity of each person of a medium that a store knows, and the distance from it."""
    centroids = report.identities.centroids
    persons = np.nonzero(np.linalg.norm(centroids, axis=1) > 0)[0]  # forgotten ones have none
    if not len(persons):
        return {}
    matches = store.match(centroids[persons])
    rows = zip(persons.tolist(), matches.ids.tolist(), matches.distances.tolist(), strict=True)
    return {person: (identity, distance) for person, identity, distance in rows if identity >= 0}


def mentions(report: MediaReport, name: str | None) -> bool:
    """Whether anybody's candidates, or a note, have this name."""
    if name is None:
        return False
    candidates = (c.name for p in report.persons for c in p.candidates)
    return name in candidates or any(name in note for note in report.notes)


def strip(report: MediaReport, persons: Collection[int], name: str | None) -> MediaReport:
    """Return the report without what tells who some persons are.

    Args:
        report: of the medium.
        persons: who are forgotten; their centroids become zero.
        name: nobody has it any more, nor is a candidate for it.
    """
    table, who = report.observations, report.identities
    gone = np.array(sorted(persons), np.int64)
    keep = ~np.isin(report.row_persons()[table.embedding_rows], gone)
    centroids = who.centroids.copy()
    centroids[gone] = 0
    return replace(
        report,
        observations=replace(
            table, embeddings=table.embeddings[keep], embedding_rows=table.embedding_rows[keep]
        ),
        identities=replace(who, centroids=centroids),
        persons=tuple(_stranger(p, persons, name) for p in report.persons),
        notes=tuple(note for note in report.notes if name is None or name not in note),
    )


def _stranger(person: Person, gone: Collection[int], name: str | None) -> Person:
    if person.person_id in gone:
        return replace(person, name=None, name_distance=None, candidates=())
    others = tuple(c for c in person.candidates if c.name != name)
    return replace(person, candidates=others)
