"""A report as a reviewer has corrected it.

Corrections are always made on the report as it was analysed, all of them in their order: so they
can be taken back, and an analysis with other options is corrected in the same way.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes.labeller import PLAIN, Labeller
from analyzer.observations import persons as aggregate
from analyzer.observations import tracks
from analyzer.observations.table import take
from analyzer.observations.tracks import Tracks
from analyzer.options import AnalysisOptions
from analyzer.review import relabel
from analyzer.review.ownership import NO_FACE, NOBODY, Ownership, Step
from analyzer.types import F32, I64, MediaReport, Observations, Person, TrackPersons
from analyzer.types.corrections import Correction, CorrectionsDocument
from analyzer.types.groups import group_means
from analyzer.types.people import Poster


def apply(
    report: MediaReport,
    corrections: Sequence[Correction],
    *,
    labeller: Callable[[], Labeller],
) -> tuple[MediaReport, tuple[Step, ...]]:
    """Make corrections.

    Args:
        report: As it was analysed.
        corrections: All corrections; without any, the report is returned as it is.
        labeller: Decides on the labels of the persons that change.

    Returns:
        The report with the corrections, and what became of each of them. Those that could not be
        made are among its corrections and its notes, too.
    """
    if not corrections:
        return report, ()
    state = Ownership(report)
    steps = tuple(state.make(correction) for correction in corrections)
    notes = (note for number, step in enumerate(steps, start=1) for note in _notes(number, step))
    corrected = _apply_ownership(report, state, labeller)
    table = corrected.observations
    tally = replace(table.tally, corrected=sum(not step.fault for step in steps))
    corrected = replace(
        corrected,
        observations=replace(table, tally=tally),
        notes=(*report.notes, *notes),
        corrections=tuple(step.correction for step in steps),
        uncorrected=report,
    )
    return corrected, steps


def reapply(
    report: MediaReport, document: CorrectionsDocument | None, *, labeller: Callable[[], Labeller]
) -> MediaReport:
    """Make the corrections that an earlier analysis of the same medium got."""
    if document is None:
        return report
    corrected, _ = apply(report, document.corrections, labeller=labeller)
    name = Path(report.info.uri).name
    if document.name == name:
        return corrected
    note = f"corrections are of {document.name}, and this is {name}"
    return replace(corrected, notes=(*corrected.notes, note))


def document_of(report: MediaReport) -> CorrectionsDocument:
    """Return the corrections that a report has, to be kept beside it."""
    options = AnalysisOptions.from_dict(report.provenance["options"])
    return CorrectionsDocument(
        uri=report.info.uri,
        name=Path(report.info.uri).name,
        options=options.digest(),
        corrections=report.corrections,
    )


def _notes(number: int, step: Step) -> list[str]:
    """Return the notes on a correction."""
    about = f"correction {number} ({step.correction})"
    part = " in full" if len(step.correction.numbers) > 2 else ""
    lines = [f"{about} was not made{part}: {step.fault}"] if step.fault else []
    return lines + ([f"{about}: {step.doubt}"] if step.doubt else [])


def _apply_ownership(
    report: MediaReport, state: Ownership, labeller: Callable[[], Labeller]
) -> MediaReport:
    """Return the report with the tracks' new owners."""
    was, is_face = report.identities, state.owner != NO_FACE
    rows = is_face[state.rows]
    table, origin = take(state.table, rows), state.origin[rows]
    owner, ids = state.owner[is_face], state.tracks[is_face]
    people = np.setdiff1d(owner, [NOBODY]).tolist()
    changed = _changed(report, state, people)
    of_tracks = tracks.embed(table)
    owners = owner[np.searchsorted(ids, of_tracks.ids)]
    means = np.zeros((max(people, default=-1) + 1, was.centroids.shape[1]), np.float32)
    for person in people:
        own = _mean(of_tracks, owners == person) if person in changed else was.centroids[person]
        means[person] = own
    track_persons = TrackPersons(track_ids=ids, person_ids=owner, centroids=means)
    of_rows = owner[np.searchsorted(ids, table.track_id)]
    decide = labeller() if (changed or state.recut) and table.heads else PLAIN
    changed_persons = {
        p: aggregate.person(p, table, of_rows, track_persons, decide) for p in changed
    }
    persons = _persons(report, people, changed_persons, state)
    of_track_labels = relabel.of_tracks(report, state, table, ids, decide)
    return replace(
        report,
        observations=_with_tally(table, of_rows, origin, left_out=int((~rows).sum())),
        identities=track_persons,
        row_attributes=relabel.given(
            relabel.taken(report.row_attributes, origin), of_rows, state.described
        ),
        track_attributes=relabel.given(of_track_labels, owner, state.described),
        persons=persons,
        poster=report.poster and _poster(report.poster, report, state, persons),
    )


def _changed(report: MediaReport, state: Ownership, people: Sequence[int]) -> list[int]:
    """Return the persons with other tracks than in the report, or tracks with other rows."""
    before = np.full(len(state.tracks), NO_FACE)
    before[: len(report.identities.track_ids)] = report.identities.person_ids
    recut = set(state.owner[sorted(state.recut)].tolist())
    return [p for p in people if p in recut or not np.array_equal(state.owner == p, before == p)]


def _mean(tracks_described: Tracks, mine: NDArray[np.bool_]) -> F32:
    """Mean embedding (D,) of some tracks; zero where none has any: who was forgotten."""
    group = np.zeros(int(mine.sum()), np.int64)
    means, _ = group_means(
        tracks_described.embeddings[mine], group, tracks_described.weights[mine], 1
    )
    return means[0]


def _persons(
    report: MediaReport, people: Sequence[int], changed: Mapping[int, Person], state: Ownership
) -> tuple[Person, ...]:
    """Return all persons, changed or as before; a person with the same number keeps its name."""
    before = {person.person_id: person for person in report.persons}
    persons = []
    for number in people:
        person, was = changed.get(number), before.get(number)
        if person is None or was is None:
            person = person or before[number]
        else:
            fields_kept = ("name", "name_distance", "candidates", "identity_id")
            person = replace(person, **{name: getattr(was, name) for name in fields_kept})
        if number in state.renamed:
            name = state.renamed[number] or None
            person = replace(person, name=name, name_distance=None, candidates=())
        given = relabel.attributes(state.described.get(number, {}))
        persons.append(
            replace(
                person,
                attributes={**person.attributes, **given},
                corrected=state.touched[number],
            )
        )
    return aggregate.by_screen_time(persons)


def _with_tally(table: Observations, of_rows: I64, origin: I64, *, left_out: int) -> Observations:
    """Return the table with a tally that adds up."""
    added = int((origin < 0).sum())
    tally = replace(
        table.tally,
        faces_saved=len(table),
        faces_kept=int((of_rows >= 0).sum()),
        faces_filtered=table.tally.faces_filtered + left_out,
        faces_added=added,
    )
    return replace(table, tally=tally)


def _poster(
    poster: Poster, report: MediaReport, state: Ownership, persons: Sequence[Person]
) -> Poster:
    """Reassign the poster's faces to the persons who own most of their tracks now."""
    is_old = state.origin >= 0
    before = report.row_persons()[state.origin[is_old]]
    after = state.owner[state.rows[is_old]]
    by_id = {person.person_id: person for person in persons}
    ids, labels = [], {"sex": list(poster.sex), "age": list(poster.age)}
    if poster.ethnicity:
        labels["ethnicity"] = list(poster.ethnicity)
    for i, was in enumerate(poster.person_ids.tolist()):
        votes = Counter(o for o in after[before == was].tolist() if o >= 0) if was >= 0 else None
        now = votes.most_common(1)[0][0] if votes else NOBODY
        ids.append(now)
        for head, texts in labels.items():
            if was >= 0:
                own = by_id[now].attributes if now in by_id else {}
                texts[i] = own[head].label if head in own else ""
    return replace(
        poster,
        person_ids=np.array(ids, np.int64),
        sex=tuple(labels["sex"]),
        age=tuple(labels["age"]),
        ethnicity=tuple(labels.get("ethnicity", ())),
    )
