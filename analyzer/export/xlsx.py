"""Excel workbook: sheets of persons, appearances, shots and faces.

Text is written as text: no name becomes a formula, a number or a link.
"""

import datetime
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from analyzer.errors import ResourceError
from analyzer.export import _faces, _persons, _rows
from analyzer.export._columns import Column
from analyzer.export._document import counts, provenance
from analyzer.export._text import utf8
from analyzer.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook

_MAX_ROWS = 1_048_575
"""Of a sheet, less its header: Excel's limit."""
_WIDTHS = 8, 48
"""Of columns, in characters."""
_LONG_AGO = datetime.datetime(1980, 1, 1)
"""When it says it was made: equal reports give equal bytes."""


def create(*, runtime: Runtime) -> "XlsxExporter":
    """Excel workbook with persons, appearances, shots and faces."""
    return XlsxExporter()


class XlsxExporter:
    """Writes a workbook; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".xlsx"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the workbook; a medium without faces gives sheets with headers only."""
        with tempfile.TemporaryDirectory(prefix="ina-xlsx-") as folder:
            # Rows go to the disk at once: a film has too many for memory.
            options = {"constant_memory": True, "tmpdir": folder}
            book = xlsxwriter.Workbook(str(path), options)
            book.set_properties({"created": _LONG_AGO})
            sheets = _Sheets(book)
            sheets.add("persons", list(_persons.columns(report)))
            sheets.add("appearances", _appearances(report))
            sheets.add("shots", _shots(report))
            sheets.add("faces", list(_faces.columns(report)))
            sheets.add("about", _about(report))
            try:
                book.close()
            except FileCreateError as error:
                raise ResourceError(
                    f"{path}: cannot be written: {error}; check its folder, rights and space"
                ) from error


class _Sheets:
    """The sheets of a workbook, and the forms of their cells."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True, "bottom": 1})
        self._decimals: dict[int, Any] = {}

    def add(self, title: str, columns: Sequence[Column]) -> None:
        """Write a table whose header stays in sight and can be filtered by."""
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, _width(column), self._form(column))
            sheet.write_string(0, place, column.name, self._bold)
        writers = [self._writer(sheet, column) for column in columns]
        rows = zip(*(column.values for column in columns), strict=True)
        last = 0
        for last, row in enumerate(islice(rows, _MAX_ROWS), 1):
            for place, (write, value) in enumerate(zip(writers, row, strict=True)):
                if value is not None and value == value:
                    write(last, place, value)
        sheet.autofilter(0, 0, last, len(columns) - 1)

    def _form(self, column: Column) -> Any:
        """The form of a column's numbers."""
        if column.kind != "number":
            return None
        if column.digits not in self._decimals:
            form = {"num_format": "0." + "0" * column.digits}
            self._decimals[column.digits] = self._book.add_format(form)
        return self._decimals[column.digits]

    def _writer(self, sheet: Any, column: Column) -> Callable[[int, int, Any], Any]:
        """What writes a cell as what it is; the general ``write`` would guess."""
        form = self._form(column)
        if column.kind in ("integer", "number"):
            return lambda row, place, value: sheet.write_number(row, place, value, form)
        if column.kind == "box":
            return lambda row, place, value: sheet.write_string(row, place, str(tuple(value)))
        return lambda row, place, value: sheet.write_string(row, place, utf8(value))


def _width(column: Column) -> int:
    """Characters that the header and the first rows need."""
    longest = max((len(str(cell)) for cell in column.values[:100]), default=0)
    least, most = _WIDTHS
    return min(max(longest, len(column.name) + 2, least), most)


def _appearances(report: MediaReport) -> list[Column]:
    """A row a track."""
    tracks = list(_rows.tracks(report))
    names = {person.person_id: person.name for person in report.persons}
    lengths = [sum(end - start for start, end in track.stretches) for track in tracks]
    ages = [track.labels.get("age") for track in tracks]
    persons = [None if track.person_id < 0 else track.person_id for track in tracks]
    return [
        Column("face_id", "integer", [track.track_id for track in tracks]),
        Column("person_id", "integer", persons),
        Column("name", "text", [names.get(track.person_id) for track in tracks]),
        Column("start_s", "number", [track.stretches[0][0] for track in tracks], 3),
        Column("end_s", "number", [track.stretches[-1][1] for track in tracks], 3),
        Column("screen_time_s", "number", lengths, 3),
        Column("face_count", "integer", [len(track.rows) for track in tracks]),
        Column("sex_label", "text", [track.labels.get("sex") or None for track in tracks]),
        Column("age_label", "number", [float(age) if age else None for age in ages], 1),
    ]


def _shots(report: MediaReport) -> list[Column]:
    """A row a shot."""
    shots, names = list(_rows.shots(report)), _rows.names(report)
    seen = [", ".join(names[person] for person in shot.person_ids) for shot in shots]
    return [
        Column("shot", "integer", [shot.number for shot in shots]),
        Column("start_s", "number", [shot.start_s for shot in shots], 3),
        Column("end_s", "number", [shot.end_s for shot in shots], 3),
        Column("duration_s", "number", [shot.end_s - shot.start_s for shot in shots], 3),
        Column("person_ids", "text", [" ".join(map(str, shot.person_ids)) for shot in shots]),
        Column("names", "text", seen),
    ]


def _about(report: MediaReport) -> list[Column]:
    """What the report is of, and what made it; what was left out."""
    told = [*_flat("", provenance(report)), *_flat("counts", counts(report))]
    if len(report.observations) > _MAX_ROWS:
        left_out = f"cut: the first {_MAX_ROWS} of {len(report.observations)}; the csv has all"
        told.insert(0, ("faces", left_out))
    keys, values = zip(*told, strict=True)
    return [Column("what", "text", keys), Column("value", "text", values)]


def _flat(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield ``medium width_px``, ``1280``: what stands in what, with a blank between."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flat(f"{key} {name}".strip(), inner)
    elif value not in (None, "", []):
        yield key, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
