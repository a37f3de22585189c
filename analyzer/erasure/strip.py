"""Find the person to erase in a report, and remove it from the report.

Times, boxes and perceived attributes of the faces stay, as those of a person without a name: alone,
they identify no person. What does, goes: embeddings, the mean of them, names, candidates
for names, portraits.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.identities import IdentityStore
from analyzer.review.anchors import Anchors
from analyzer.types import MediaReport, Observations, Person
from analyzer.types.corrections import Correction, without


@dataclass(frozen=True, kw_only=True)
class ErasureTarget:
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


def persons_in(report: MediaReport, target: ErasureTarget, store: IdentityStore | None) -> set[int]:
    """Return the persons of a medium that are to be forgotten.

    An identity's persons are those of the report's record, and those that the store matches now.
    Those of another name are left alone, even if a store takes them for the same: it errs, too.

    Args:
        report: Report of the medium.
        target: Who.
        store: In which the identities are.
    """
    person_ids = {p.person_id for p in report.persons if _is_meant(p, target)}
    if not target.identities:
        return person_ids
    remembered = (
        {p.person_id: p.identity_id for p in report.persons} if report.is_remembered else {}
    )
    looked_up = (
        {p: identity for p, (identity, _) in look_up(report, store).items()} if store else {}
    )
    for person in report.persons:
        both = {remembered.get(person.person_id), looked_up.get(person.person_id)}
        other = target.name is not None and person.name not in (None, target.name)
        if both & target.identities and not other:
            person_ids.add(person.person_id)
    return person_ids


def _is_meant(person: Person, target: ErasureTarget) -> bool:
    if target.name is not None:
        return person.name == target.name
    return person.person_id == target.person_id


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
    """Return whether a candidate, a note or a correction has this name, or the report before."""
    if name is None:
        return False
    before = report.uncorrected
    names = {c.name for p in report.persons for c in p.candidates}
    names |= {c.name for c in report.corrections}
    names |= {p.name or "" for p in before.persons} if before else set()
    return (
        name in names
        or any(name in note for note in report.notes)
        or (before is not None and mentions(before, name))
    )


def erase_from_report(
    report: MediaReport, persons: Collection[int], name: str | None
) -> MediaReport:
    """Return the report without what tells who some persons are.

    Args:
        report: Report of the medium.
        persons: Who are forgotten; their centroids become zero.
        name: Nobody has it any more, nor is a candidate for it.
    """
    track_persons = report.identities
    tracks = frozenset(
        track_persons.track_ids[np.isin(track_persons.person_ids, list(persons))].tolist()
    )
    return _without(report, tracks, name)


def _without(report: MediaReport, tracks: Collection[int], name: str | None) -> MediaReport:
    """Return a report, and the one before corrections, without who has some of the tracks."""
    table, track_persons = report.observations, report.identities
    gone = np.isin(track_persons.track_ids, list(tracks))
    persons = np.setdiff1d(track_persons.person_ids[gone], [-1])
    keep = ~np.isin(table.track_id[table.embedding_rows], list(tracks))
    centroids = track_persons.centroids.copy()
    centroids[persons] = 0
    corrections = _without_names(report, tracks, name)
    names = {
        old.name for old, new in zip(report.corrections, corrections, strict=True) if old != new
    }
    names |= {p.name or "" for p in report.persons if p.person_id in persons} | {name or ""}
    return replace(
        report,
        observations=replace(
            table, embeddings=table.embeddings[keep], embedding_rows=table.embedding_rows[keep]
        ),
        identities=replace(track_persons, centroids=centroids),
        persons=tuple(_anonymous(p, persons.tolist(), name) for p in report.persons),
        notes=tuple(n for n in report.notes if not any(word and word in n for word in names)),
        corrections=corrections,
        uncorrected=report.uncorrected
        and _without(report.uncorrected, _tracks_before(report, tracks), name),
    )


def _tracks_before(report: MediaReport, tracks: Collection[int]) -> Collection[int]:
    """Return the tracks before corrections that have faces of some tracks, which may be cut."""
    if report.uncorrected is None:
        return tracks
    rows = np.isin(report.observations.track_id, list(tracks))
    faces = set(_places_of(report.observations, rows))
    before = report.uncorrected.observations
    places = _places_of(before, np.ones(len(before), bool))
    cut = {t for t, place in zip(before.track_id.tolist(), places, strict=True) if place in faces}
    known = set(report.uncorrected.identities.track_ids.tolist())
    return frozenset(cut | (known & set(tracks)))


def _places_of(table: Observations, rows: NDArray[np.bool_]) -> list[tuple[float, ...]]:
    """Return frame and box of some rows."""
    frames, boxes = table.frame[rows].tolist(), table.boxes[rows].tolist()
    return [(frame, *box) for frame, box in zip(frames, boxes, strict=True)]


def _without_names(
    report: MediaReport, tracks: Collection[int], name: str | None
) -> tuple[Correction, ...]:
    """Return the corrections without a name: where they give it, or its person is removed."""
    faces = Anchors(report.uncorrected or report)

    def is_gone(correction: Correction) -> bool:
        owners = faces.tracks_at(
            [a for anchors_of_number in correction.anchors for a in anchors_of_number], tracks
        )
        return correction.op == "rename" and not set(tracks).isdisjoint(owners)

    corrections = without(report.corrections, name)
    return tuple(replace(c, name="") if is_gone(c) else c for c in corrections)


def _anonymous(person: Person, gone: Collection[int], name: str | None) -> Person:
    if person.person_id in gone:
        return replace(person, name=None, name_distance=None, candidates=(), identity_id=None)
    if name is not None and person.name == name:
        # As it was called before it was corrected.
        person = replace(person, name=None, name_distance=None)
    others = tuple(c for c in person.candidates if c.name != name)
    return replace(person, candidates=others)
