"""What must hold in a report, which somebody else may have written, before it is used."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from analyzer.attributes.heads import AGE_BINS
from analyzer.types import Attribute, MediaReport, Person, TrackPersons
from analyzer.types.arrays import require_finite

_TEXT, _MAYBE_TEXT = (str,), (str, type(None))
_WHOLE, _REAL = (int,), (int, float)


def number(value: int) -> int:
    """Return a number that is an index.

    Args:
        value: Index of a label, or number of a track.

    Raises:
        ValueError: The number is below 0.
    """
    if value < 0:
        raise ValueError(f"{value} is no number of anything")
    return value


def provenance(values: Any) -> Mapping[str, Any]:
    """Return where a report comes from.

    Args:
        values: JSON value of the report.

    Raises:
        TypeError, ValueError: The value is not of the form.
    """
    if not isinstance(values, dict) or not isinstance(values.get("options", {}), dict):
        raise TypeError("provenance or options of another type")
    limit = values.get("cluster_threshold")
    _require_numbers([] if limit is None else [limit])
    if "options" not in values:
        return values
    # Versions without these options gave everybody a label of sex.
    options = dict(values["options"])
    for name in ("min_sex_age", "min_sex_confidence"):
        options.setdefault(name, 0.0)
        _require_numbers([options[name]])
    return {**values, "options": options}


def require_report(report: MediaReport) -> None:
    """Require that tracks, persons and labels of a report fit together.

    Args:
        report: Report of a medium.

    Raises:
        TypeError, ValueError: Something does not fit, or is not finite.
    """
    require_persons(report.persons, report.identities)
    require_finite("report", {"shots": report.shots})
    tracks, rows = report.identities.track_ids, report.observations
    if not np.isin(rows.track_id, tracks).all():
        raise ValueError("rows of tracks that are not there")
    lengths = [(len(decoded.label), len(rows)) for decoded in report.row_attributes.values()]
    lengths += [(len(decoded.label), len(tracks)) for decoded in report.track_attributes.values()]
    if not all(labels == count for labels, count in lengths):
        raise ValueError("labels of other rows or tracks")
    if not all(isinstance(note, str) for note in report.notes):
        raise TypeError("a note that is no text")
    poster = report.poster
    if poster is not None:
        require_finite("poster", {"boxes": poster.boxes, "scores": poster.scores})
        _require_types({"path": (poster.path, _TEXT)})
        known = {person.person_id for person in report.persons} | {-1}
        if not known.issuperset(poster.person_ids.tolist()):
            raise ValueError("a poster of persons who are not there")
        lists = [poster.sex, poster.age, poster.ethnicity or poster.age]
        if not all(len(labels) == len(poster.boxes) for labels in lists):
            raise ValueError("labels of other faces than the poster's")


def require_persons(persons: Sequence[Person], owners: TrackPersons) -> None:
    """Require that persons and tracks fit together.

    Args:
        persons: Persons of a medium.
        owners: Assignment of the tracks, and centroids.

    Raises:
        TypeError, ValueError: They do not fit, or a number is not finite.
    """
    require_finite("persons", {"centroids": owners.centroids})
    ids, count = owners.person_ids, len(owners.centroids)
    if len(ids) and not (ids.min() >= -1 and ids.max() < count):
        raise ValueError("tracks of persons who are not there")
    if (owners.track_ids[1:] <= owners.track_ids[:-1]).any():
        raise ValueError("tracks that are not in order")
    numbers = [person.person_id for person in persons]
    for person in persons:
        _require_person(person)
    if len(set(numbers)) != len(numbers) or not all(0 <= n < count for n in numbers):
        raise ValueError("persons without a number of their own")
    tracks = set(owners.track_ids.tolist())
    if not all(tracks.issuperset(person.track_ids) for person in persons):
        raise ValueError("persons of tracks that are not there")


def _require_person(person: Person) -> None:
    _require_types(
        {
            "person_id": (person.person_id, _WHOLE),
            "name": (person.name, _MAYBE_TEXT),
            "face_count": (person.face_count, _WHOLE),
            "corrected": (person.corrected, _WHOLE),
            **{f"track {track!r}": (track, _WHOLE) for track in person.track_ids},
            **{f"head {head!r}": (head, _TEXT) for head in person.attributes},
        }
    )
    if person.identity_id is not None:
        _require_types({"identity_id": (person.identity_id, _WHOLE)})
    if person.name_distance is not None:
        _require_types({"name_distance": (person.name_distance, _REAL)})
    seen = (person.first_s, person.last_s, person.screen_time_s, person.mean_area_ratio)
    candidates = [n for c in person.candidates for n in (c.probability, c.distance)]
    _require_numbers([*seen, *candidates, *(s for pair in person.intervals for s in pair)])
    for candidate in person.candidates:
        _require_types({"candidate": (candidate.name, _TEXT)})
    for attribute in person.attributes.values():
        _require_attribute(attribute)


def _require_attribute(attribute: Attribute) -> None:
    """Require an attribute's types; its value is NaN where it is unknown."""
    ends = {"low": attribute.low, "high": attribute.high}
    given = {name: (end, _REAL) for name, end in ends.items() if end is not None}
    _require_types({"label": (attribute.label, _TEXT), "value": (attribute.value, _REAL), **given})
    if len(attribute.distribution) not in (0, len(AGE_BINS)):
        raise ValueError("a distribution that is not one over the bins of age")
    _require_numbers(attribute.distribution)


def _require_numbers(values: Iterable[Any]) -> None:
    for value in values:
        _require_types({"number": (value, _REAL)})
        if not math.isfinite(value):
            raise ValueError("a person's number is not finite")


def _require_types(values: Mapping[str, tuple[Any, tuple[type, ...]]]) -> None:
    for name, (value, types) in values.items():
        if not isinstance(value, types) or isinstance(value, bool):
            raise TypeError(f"{name}: {value!r} is of another type")
