"""Remember the persons of a report in an identity store."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from analyzer.errors import UsageError
from analyzer.identities import IdentityStore
from analyzer.identities.records import (
    CallRecord,
    MediumRecord,
    OtherCall,
    StoredAppearance,
    damage_named,
)
from analyzer.types import MediaInfo, MediaReport, Person
from analyzer.types.people import ArchiveNames

Portraits = Callable[[MediaReport, Sequence[int]], Mapping[int, bytes]]
"""Takes a report and numbers of its persons, and returns the JPEGs that can be had of them."""


def remember(
    report: MediaReport, store: IdentityStore, *, key: str, portraits: Portraits | None = None
) -> MediaReport:
    """Know the persons of a medium again among those of all media, and add the new ones.

    Args:
        report: Report of the medium.
        store: Open.
        key: Key of the work that made the report. With the size of the medium it names the call:
            work that is done again counts once, and a medium that took another's place counts anew.
        portraits: Cuts portraits of people, where the store has few of them; `None` keeps none.

    Raises:
        UsageError: The store is of another describer.
        ResourceError: The store is gone.
    """
    persons = sorted(report.persons, key=lambda person: person.person_id)
    centroids = report.identities.centroids  # P x D
    counts = np.array([person.face_count for person in persons], np.int64)
    medium = MediumRecord(
        path=report.info.uri,
        day=_day(report.info),
        person_ids=tuple(person.person_id for person in persons),
        milliseconds=tuple(round(person.screen_time_s * 1000) for person in persons),
        portraits=lambda rows: _portraits(report, persons, rows, portraits),
    )
    call = f"{key}:{_size(report.info)}"
    # What a tracker carried on counts as seen: rows are made of both.
    faces_seen = report.tally.faces_detected + report.tally.faces_tracked
    try:
        # Clustering has told them apart, with more evidence than their means hold.
        ids = store.match_or_add(
            centroids, counts, key=call, detected=faces_seen, distinct=True, medium=medium
        )
    except OtherCall:
        # Another machine saw another number of persons, and they are counted already.
        ids = store.match(centroids).ids
    identity_of = {p.person_id: i for p, i in zip(persons, ids.tolist(), strict=True) if i >= 0}
    return replace(
        report,
        persons=tuple(replace(p, identity_id=identity_of.get(p.person_id)) for p in report.persons),
        is_remembered=True,
    )


def _portraits(
    report: MediaReport, persons: Sequence[Person], rows: Sequence[int], cut: Portraits | None
) -> dict[int, bytes]:
    """Return the portraits that can be had of persons, by row."""
    if cut is None:
        return {}
    row_of = {persons[row].person_id: row for row in rows}
    return {row_of[person]: jpeg for person, jpeg in cut(report, list(row_of)).items()}


def with_archive_names(report: MediaReport, store: IdentityStore) -> MediaReport:
    """Note in a report who its people are by now, for the files that are made of it.

    Args:
        report: Report of the medium, with its corrections.
        store: In which the persons were remembered.

    Raises:
        UsageError: The store does not know the medium: numbers of another store are others' there.
    """
    known = archive_names(report.info.uri, report.persons, store)
    return replace(report, archive_names=known)


def archive_names(uri: str, persons: Sequence[Person], store: IdentityStore) -> ArchiveNames:
    """Return who the people of a medium are by now; see `with_archive_names`.

    Args:
        uri: Path of the medium, as it was analysed.
        persons: Of its report.
        store: In which they were remembered.
    """
    people = store.people()
    split_off = _split_off(uri, store)
    _require_known(uri, persons, store, bool(split_off))
    numbers = {
        person.person_id: people.person(
            split_off.get((person.person_id, person.identity_id), person.identity_id)
        )
        for person in persons
        if person.identity_id is not None
    }
    numbers = {person: n for person, n in numbers.items() if n not in people.forgotten}
    names = {n: people.names[n] for n in numbers.values() if n in people.names}
    return ArchiveNames(numbers=numbers, names=names)


def _require_known(
    uri: str, persons: Sequence[Person], store: IdentityStore, is_split: bool
) -> None:
    """Require that one of the identities of persons was seen in this medium."""
    ids = {person.identity_id for person in persons} - {None}
    stored = [identity for number in ids if number is not None and (identity := store.get(number))]
    if is_split or not stored:
        return
    # Those of few media have few appearances to read.
    for identity in sorted(stored, key=lambda identity: identity.media):
        calls = {call for call, _, _ in store.records.appearances(identity.id)}
        with damage_named(store.name):
            paths = {CallRecord.unpack(call).path for call in store.records.calls(sorted(calls))}
        # Calls of older forms, and of programs, name no medium.
        if paths & {uri, ""}:
            return
    raise UsageError(
        f"{uri}: {store.name} has not seen its people, and their numbers are others' "
        "there: give the store that it was analysed with"
    )


def _split_off(path: str, store: IdentityStore) -> dict[tuple[int, int], int]:
    """Return who was split off in a medium.

    Returns:
        (number of the person in the medium, identity that it was matched to) -> identity now.
    """
    people, records = store.people(), store.records
    calls = sorted({call for call, _ in people.owners})
    with damage_named(store.name):
        records_of_calls = dict(
            zip(calls, map(CallRecord.unpack, records.calls(calls)), strict=True)
        )
        here = {call: record for call, record in records_of_calls.items() if record.path == path}
        parts = {part for (call, _), part in people.owners.items() if call in here}
        appearances = [
            (part, StoredAppearance.unpack(*packed))
            for part in sorted(parts)
            for packed in records.appearances(part)
        ]
        return {
            (appearance.person_id, here[appearance.call].ids[appearance.row]): part
            for part, appearance in appearances
            if appearance.call in here
        }


def _day(info: MediaInfo) -> int:
    """Return the date of a medium; 0 where there is none.

    It is the one that its container states; otherwise its file's, or the latest of its pictures'.
    """
    if info.created is not None:
        return date.fromisoformat(info.created).toordinal()
    files = [file for file in info.stills or (info.uri,) if os.path.isfile(file)]
    return max((date.fromtimestamp(os.path.getmtime(f)).toordinal() for f in files), default=0)


def _size(info: MediaInfo) -> int:
    """Return bytes of a medium; 0 where there is none."""
    files = info.stills or (info.uri,)
    return sum(os.path.getsize(file) for file in files if os.path.isfile(file))
