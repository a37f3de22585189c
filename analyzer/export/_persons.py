"""The table of the characters, a row per person."""

from collections.abc import Callable, Iterator
from typing import Any

from analyzer.export import _rows
from analyzer.files.columns import Column
from analyzer.observations import persons
from analyzer.types import Attribute, MediaReport, Person

_UNKNOWN = Attribute(label="", value=float("nan"))


def columns(report: MediaReport) -> Iterator[Column]:
    """Yield every column with a value per person, most screen time first.

    The last value is that of the unidentified faces, if there are any; they have no number.
    """
    people = listed(report)

    def each(name: str, kind: str, value: Callable[[Person], Any], digits: int = 4) -> Column:
        return Column(name, kind, [value(person) for person in people], digits)

    def timed(name: str, value: Callable[[Person], Any]) -> Column:
        return each(name, "number", value if report.info.is_timed else lambda _: None, 3)

    duration = report.info.duration_s
    yield each("person_id", "integer", lambda p: None if p.person_id < 0 else p.person_id)
    yield each("name", "text", _name)
    yield each("name_distance", "number", lambda p: p.name_distance)
    yield each("sex_label", "text", lambda p: _attribute(p, "sex").label or None)
    yield each("age_label", "number", lambda p: _years(_attribute(p, "age")), 1)
    yield each("age_low", "number", lambda p: _attribute(p, "age").low, 1)
    yield each("age_high", "number", lambda p: _attribute(p, "age").high, 1)
    yield each("face_count", "integer", lambda p: p.face_count)
    yield each("track_count", "integer", lambda p: len(p.track_ids))
    yield timed("first_s", lambda p: p.first_s)
    yield timed("last_s", lambda p: p.last_s)
    yield timed("screen_time_s", lambda p: p.screen_time_s)
    yield each("screen_share", "number", lambda p: p.screen_time_s / duration if duration else None)
    yield each("mean_area_ratio", "number", lambda p: p.mean_area_ratio)
    for head in sorted(set(report.row_attributes) - {"sex", "age"}):
        attributes = [_attribute(person, head) for person in people]
        yield Column(f"{head}_label", "text", [attribute.label for attribute in attributes])
        yield Column(f"{head}_share", "number", [attribute.value for attribute in attributes])
    if report.is_remembered:
        yield each("identity_id", "integer", lambda p: p.identity_id)
    yield each("corrected", "integer", lambda p: p.corrected)


def listed(report: MediaReport) -> list[Person]:
    """Return the persons as they are listed, the unidentified faces last."""
    rest = persons.unidentified(report.observations, report.row_persons(), report.identities)
    return [*report.persons, *([rest] if rest else [])]


def _name(person: Person) -> str | None:
    return _rows.UNIDENTIFIED if person.person_id < 0 else person.name


def _attribute(person: Person, head: str) -> Attribute:
    return person.attributes.get(head, _UNKNOWN)


def _years(age: Attribute) -> float | None:
    return float(age.label) if age.label else None
