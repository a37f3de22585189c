"""A report without its rows as JSON-able values; docs/formats.md lists every key.

Nothing in it says when or on which machine it was made: equal media, options, programs and models
give equal bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from analyzer.attributes.heads import AGE_EDGES
from analyzer.export import _rows
from analyzer.observations import persons
from analyzer.shares.amounts import answer_seconds
from analyzer.shares.answers import GROUPS
from analyzer.shares.columns import to_json
from analyzer.shares.measure import shares
from analyzer.types import Attribute, MediaReport, Person

SCHEMA = 1
"""Version; to be raised when a key changes its meaning or is removed."""
_OF_PERSONS = (
    *("person_id", "name", "name_distance", "candidates", "attributes", "corrected"),
    "identity_id",
)
"""Keys that faces of no person do not have."""


def document(report: MediaReport) -> dict[str, Any]:
    """Return all values of a report but its rows."""
    return {
        **provenance(report),
        "counts": counts(report),
        "persons": [_person_to_json(person, report) for person in report.persons],
        "unidentified": _unidentified_to_json(report),
        "shots": [_shot_to_json(shot) for shot in _rows.shots(report)],
        "tracks": [_track_to_json(track) for track in _rows.tracks(report)],
        "shares": to_json(list(shares(report))),
        "answers_s": {head: _answers_to_json(report, head) for head in _corrigible(report)},
    }


def provenance(report: MediaReport) -> dict[str, Any]:
    """Return the medium, program, options and models that the results come from."""
    facts = report.provenance
    return {
        "schema": SCHEMA,
        "program": {
            "name": "ina",
            "version": facts.get("analyzer"),
            "libraries": dict(facts.get("libraries", {})),
        },
        "options": dict(facts["options"]),
        "options_digest": facts.get("options_digest"),
        "models": dict(facts.get("models", {})),
        "medium": _medium_to_json(report),
        "notes": list(report.notes),
        "partial": report.partial,
    }


def counts(report: MediaReport) -> dict[str, Any]:
    """Return the counts of everything, including frames and faces that were left out."""
    return {
        "persons": len(report.persons),
        "tracks": len(report.identities.track_ids),
        "shots": sum(1 for _ in _rows.shots(report)),
        **asdict(report.tally),
    }


def name_to_json(person: Person) -> dict[str, Any]:
    """Return a person's name and candidates."""
    return {
        "person_id": person.person_id,
        "name": person.name,
        "name_distance": _rounded_or_none(person.name_distance),
        "candidates": [
            {
                "name": candidate.name,
                "probability": _rounded_or_none(candidate.probability),
                "distance": _rounded_or_none(candidate.distance),
            }
            for candidate in person.candidates
        ],
    }


def _medium_to_json(report: MediaReport) -> dict[str, Any]:
    info, (start, end) = report.info, report.observations.span_s.tolist()
    return {
        **{name: value for name, value in asdict(info).items() if name != "notes"},
        "frame_rate": None if info.frame_rate is None else str(info.frame_rate),
        "stills": list(info.stills),
        "stored_px": None if info.stored_px is None else list(info.stored_px),
        "analysed_s": [_rounded_seconds(start), _rounded_seconds(end)] if info.is_timed else None,
    }


def _person_to_json(person: Person, report: MediaReport) -> dict[str, Any]:
    length, timed = report.info.duration_s, report.info.is_timed
    return {
        **name_to_json(person),
        **({"identity_id": person.identity_id} if report.is_remembered else {}),
        "attributes": {
            head: _attribute_to_json(a) for head, a in sorted(person.attributes.items())
        },
        "face_count": person.face_count,
        "track_ids": list(person.track_ids),
        "first_s": _rounded_seconds(person.first_s) if timed else None,
        "last_s": _rounded_seconds(person.last_s) if timed else None,
        "screen_time_s": _rounded_seconds(person.screen_time_s) if timed else None,
        "screen_share": _rounded_or_none(person.screen_time_s / length) if length else None,
        "mean_area_ratio": _rounded_or_none(person.mean_area_ratio),
        "intervals_s": _intervals_to_json(person.intervals) if timed else [],
        "corrected": person.corrected,
    }


def _unidentified_to_json(report: MediaReport) -> dict[str, Any] | None:
    """Return the totals of the faces of no person; `None` without any."""
    faces = persons.unidentified(report.observations, report.row_persons(), report.identities)
    if faces is None:
        return None
    values = _person_to_json(faces, report)
    return {key: value for key, value in values.items() if key not in _OF_PERSONS}


def _attribute_to_json(attribute: Attribute) -> dict[str, Any]:
    numbers = {key: _rounded_or_none(getattr(attribute, key)) for key in ("value", "low", "high")}
    return {"label": attribute.label or None, **numbers, **_distribution_to_json(attribute)}


def _distribution_to_json(attribute: Attribute) -> dict[str, Any]:
    """Return the distribution of an age, with the ages between its bins; nothing without one."""
    if not attribute.distribution:
        return {}
    shares = [_rounded_or_none(share) for share in attribute.distribution]
    return {"distribution": {"edges_years": AGE_EDGES.tolist(), "probabilities": shares}}


def _shot_to_json(shot: _rows.Shot) -> dict[str, Any]:
    times = {
        name: None if value is None else _rounded_seconds(value)
        for name, value in (("start_s", shot.start_s), ("end_s", shot.end_s))
    }
    frame = {} if shot.still is None else {"frame": shot.still}
    return {"shot": shot.number, **times, "person_ids": list(shot.person_ids), **frame}


def _track_to_json(track: _rows.Track) -> dict[str, Any]:
    return {
        "track_id": track.track_id,
        "person_id": None if track.person_id < 0 else track.person_id,
        "face_count": len(track.rows),
        "labels": _labels_to_json(track.labels),
        "intervals_s": _intervals_to_json(track.intervals_s),
    }


def _corrigible(report: MediaReport) -> list[str]:
    """Return the heads with answers: `estimate` corrects their time for what is confused."""
    return [head for head in report.observations.heads if head in GROUPS]


def _answers_to_json(report: MediaReport, head: str) -> list[list[float]]:
    return [[_rounded_seconds(s) for s in row] for row in answer_seconds(report, head).tolist()]


def _labels_to_json(labels: Mapping[str, str]) -> dict[str, str | None]:
    return {head: label or None for head, label in sorted(labels.items())}


def _intervals_to_json(intervals: Iterable[tuple[float, float]]) -> list[list[float]]:
    return [[_rounded_seconds(start), _rounded_seconds(end)] for start, end in intervals]


def _rounded_seconds(value: float) -> float:
    """Return a time with the digits of the csv."""
    return round(value, 6)


def _rounded_or_none(value: float | None) -> float | None:
    return None if value is None or value != value else round(value, 4)
