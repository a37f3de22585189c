"""A report as JSON-able values: all but its rows. docs/formats.md lists every key.

Nothing in it tells when or on which machine it was made: equal media, options, programs and models
give equal bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from analyzer.export import _rows
from analyzer.types import Attribute, MediaReport, Person

SCHEMA = 1
"""To be raised when a key changes its meaning or goes."""


def document(report: MediaReport) -> dict[str, Any]:
    """Return the whole report without its rows."""
    return {
        **provenance(report),
        "counts": counts(report),
        "persons": [_person(person, report) for person in report.persons],
        "shots": [_shot(shot) for shot in _rows.shots(report)],
        "tracks": [_track(track) for track in _rows.tracks(report)],
    }


def provenance(report: MediaReport) -> dict[str, Any]:
    """Return the source of the results, and what they were made with."""
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
        "medium": _medium(report),
        "notes": list(report.notes),
        "partial": report.partial,
    }


def counts(report: MediaReport) -> dict[str, Any]:
    """Return all counts; of frames and faces also those that were left out."""
    return {
        "persons": len(report.persons),
        "tracks": len(report.identities.track_ids),
        "shots": len(report.shots),
        **asdict(report.tally),
    }


def named(person: Person) -> dict[str, Any]:
    """Return a person's name and candidates."""
    return {
        "person_id": person.person_id,
        "name": person.name,
        "name_distance": _rounded(person.name_distance),
        "candidates": [
            {
                "name": candidate.name,
                "probability": _rounded(candidate.probability),
                "distance": _rounded(candidate.distance),
            }
            for candidate in person.candidates
        ],
    }


def _medium(report: MediaReport) -> dict[str, Any]:
    info, (start, end) = report.info, report.observations.span_s.tolist()
    return {
        **asdict(info),
        "frame_rate": None if info.frame_rate is None else str(info.frame_rate),
        "stills": list(info.stills),
        "analysed_s": [_seconds(start), _seconds(end)],
    }


def _person(person: Person, report: MediaReport) -> dict[str, Any]:
    length = report.info.duration_s
    return {
        **named(person),
        "attributes": {head: _attribute(a) for head, a in sorted(person.attributes.items())},
        "face_count": person.face_count,
        "track_ids": list(person.track_ids),
        "first_s": _seconds(person.first_s),
        "last_s": _seconds(person.last_s),
        "screen_time_s": _seconds(person.screen_time_s),
        "screen_share": _rounded(person.screen_time_s / length) if length else None,
        "mean_area_ratio": _rounded(person.mean_area_ratio),
        "intervals_s": _stretches(person.intervals),
    }


def _attribute(attribute: Attribute) -> dict[str, Any]:
    numbers = {key: _rounded(getattr(attribute, key)) for key in ("value", "low", "high")}
    return {"label": attribute.label or None, **numbers}


def _shot(shot: _rows.Shot) -> dict[str, Any]:
    return {
        "shot": shot.number,
        "start_s": _seconds(shot.start_s),
        "end_s": _seconds(shot.end_s),
        "person_ids": list(shot.person_ids),
    }


def _track(track: _rows.Track) -> dict[str, Any]:
    return {
        "track_id": track.track_id,
        "person_id": None if track.person_id < 0 else track.person_id,
        "face_count": len(track.rows),
        "labels": _labels(track.labels),
        "intervals_s": _stretches(track.stretches),
    }


def _labels(labels: Mapping[str, str]) -> dict[str, str | None]:
    return {head: label or None for head, label in sorted(labels.items())}


def _stretches(stretches: Iterable[tuple[float, float]]) -> list[list[float]]:
    return [[_seconds(start), _seconds(end)] for start, end in stretches]


def _seconds(value: float) -> float:
    """Return a time as the csv has it."""
    return round(value, 6)


def _rounded(value: float | None) -> float | None:
    return None if value is None or value != value else round(value, 4)
