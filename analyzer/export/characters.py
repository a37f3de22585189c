"""Table with one row per person: screen time, perceived sex and age; most screen time first."""

from pathlib import Path
from typing import Any, ClassVar

from analyzer.runtime import Runtime
from analyzer.text import number_cell, text_cell, write_table
from analyzer.types import Attribute, MediaReport, Person, ProgressHook

_UNKNOWN = Attribute(label="", value=float("nan"))


def create(*, runtime: Runtime) -> "CharactersExporter":
    """Table with one row per person."""
    return CharactersExporter()


class CharactersExporter:
    """Writes the characters; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".characters.csv"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; a medium without faces gives the header only."""
        others = sorted(set(report.row_attributes) - {"sex", "age"})
        write_table(path, _header(others), (_row(report, p, others) for p in report.persons))


def _header(others: list[str]) -> list[str]:
    fixed = (
        "person_id,name,name_distance,sex_label,age_label,age_low,age_high,face_count,track_count,"
        "first_s,last_s,screen_time_s,screen_share,mean_area_ratio"
    )
    return [*fixed.split(","), *(f"{h}_{part}" for h in others for part in ("label", "share"))]


def _row(report: MediaReport, person: Person, others: list[str]) -> list[Any]:
    """One person's cells, in the order of the header."""
    sex = person.attributes.get("sex", _UNKNOWN)
    age = person.attributes.get("age", _UNKNOWN)
    duration = report.info.duration_s
    return [
        person.person_id,
        text_cell(person.name or ""),
        number_cell(person.name_distance, 4),
        sex.label,
        number_cell(float(age.label) if age.label else None, 1),
        number_cell(age.low, 1),
        number_cell(age.high, 1),
        person.face_count,
        len(person.track_ids),
        number_cell(person.first_s, 3),
        number_cell(person.last_s, 3),
        number_cell(person.screen_time_s, 3),
        number_cell(person.screen_time_s / duration if duration else None, 4),
        number_cell(person.mean_area_ratio, 4),
        *(cell for head in others for cell in _share(person.attributes.get(head, _UNKNOWN))),
    ]


def _share(attribute: Attribute) -> tuple[str, str]:
    """A class and its share."""
    return attribute.label, number_cell(attribute.value, 4)
