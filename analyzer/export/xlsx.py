"""Excel workbook: sheets of persons and appearances with their faces, of shots and of all faces.

Text is written as text: no name becomes a formula, a number or a link.
"""

import datetime
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from analyzer import portraits
from analyzer.columns import Column
from analyzer.errors import ResourceError, UsageError
from analyzer.export import _faces, _persons, _rows
from analyzer.export._document import counts, provenance
from analyzer.runtime import Runtime
from analyzer.text import utf8
from analyzer.types import MediaReport, ProgressHook

_MAX_ROWS = 1_048_575
"""Of a sheet, less its header: Excel's limit."""
_WIDTHS = 8, 48
"""Of columns, in characters."""
_LONG_AGO = datetime.datetime(1980, 1, 1)
"""When it says it was made: equal reports give equal bytes."""


_SIDE_PX = 72
"""Of a picture in its cell; its file has twice as many, for fine screens."""


def create(*, pictures: int = 20, runtime: Runtime) -> "XlsxExporter":
    """Excel workbook; pictures: appearances of each person that are shown with a picture."""
    if pictures < 0:
        raise UsageError(f"xlsx: pictures={pictures} must be 0 or more")
    return XlsxExporter(pictures)


class XlsxExporter:
    """Writes a workbook; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".xlsx"

    def __init__(self, pictures: int) -> None:
        self._pictures = pictures

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the workbook; a medium without faces gives sheets with headers only.

        Where the medium cannot be read again there are no pictures, and the last sheet says why.

        Raises:
            ResourceError: the file cannot be written.
        """
        notes: list[str] = []
        of_persons, of_tracks = self._cut(report, notes.append)
        with tempfile.TemporaryDirectory(prefix="ina-xlsx-") as folder:
            # Rows go to the disk at once: a film has too many for memory.
            options = {"constant_memory": True, "tmpdir": folder}
            book = xlsxwriter.Workbook(str(path), options)
            book.set_properties({"created": _LONG_AGO})
            sheets = _Sheets(book)
            sheets.add("persons", list(_persons.columns(report)), of_persons)
            sheets.add("appearances", _appearances(report), of_tracks)
            sheets.add("shots", _shots(report))
            sheets.add("faces", list(_faces.columns(report)))
            sheets.add("about", _about(report, notes))
            try:
                book.close()
            except FileCreateError as error:
                raise ResourceError(
                    f"{path}: cannot be written: {error}; check its folder, rights and space"
                ) from error

    def _cut(
        self, report: MediaReport, note: Callable[[str], None]
    ) -> tuple[list[bytes | None], list[bytes | None]]:
        """A JPEG of each person, and of each track that is to have one."""
        best = portraits.best(report)
        tracks = portraits.of_tracks(report, most=self._pictures)
        rows = [*best.values(), *tracks.values()] if self._pictures else []
        found = portraits.cut(report, rows, side_px=2 * _SIDE_PX, note=note)
        return (
            [found.get(best.get(person.person_id, -1)) for person in report.persons],
            [found.get(tracks.get(i, -1)) for i in report.identities.track_ids.tolist()],
        )


class _Sheets:
    """The sheets of a workbook, and the forms of their cells."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True, "bottom": 1})
        self._forms: dict[str, Any] = {}

    def add(
        self, title: str, columns: Sequence[Column], pictures: Sequence[bytes | None] = ()
    ) -> None:
        """Write a table whose header stays in sight and can be filtered by.

        Args:
            title: of the sheet.
            columns: of the table; what is beyond Excel's limit is left out.
            pictures: JPEG of each row, for a column in front.
        """
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        first = 1 if any(pictures) else 0
        if first:
            sheet.set_column_pixels(0, 0, _SIDE_PX + 4)
            sheet.write_string(0, 0, "face", self._bold)
        for place, column in enumerate(columns, first):
            sheet.set_column(place, place, _width(column), self._form(column))
            sheet.write_string(0, place, column.name, self._bold)
        writers = [self._writer(sheet, column) for column in columns]
        rows = islice(zip(*(column.values for column in columns), strict=True), _MAX_ROWS)
        last = 0
        for last, row in enumerate(rows, 1):
            if first and (picture := pictures[last - 1]):
                _insert(sheet, last, picture)
            for place, (write, value) in enumerate(zip(writers, row, strict=True), first):
                if value is not None and value == value:
                    write(last, place, value)
        sheet.autofilter(0, 0, last, first + len(columns) - 1)

    def _form(self, column: Column) -> Any:
        """The form of a column's cells; each is made once."""
        shown = {"number": "0." + "0" * column.digits, "integer": "0"}.get(column.kind, "@")
        if shown not in self._forms:
            form = {"num_format": shown, "valign": "vcenter", "indent": int(shown == "@")}
            self._forms[shown] = self._book.add_format(form)
        return self._forms[shown]

    def _writer(self, sheet: Any, column: Column) -> Callable[[int, int, Any], Any]:
        """What writes a cell as what it is; the general ``write`` would guess."""
        form = self._form(column)
        if column.kind in ("integer", "number"):
            return lambda row, place, value: sheet.write_number(row, place, value, form)
        if column.kind == "box":
            return lambda row, place, value: sheet.write_string(row, place, str(tuple(value)), form)
        return lambda row, place, value: sheet.write_string(row, place, utf8(value), form)


def _insert(sheet: Any, row: int, picture: bytes) -> None:
    """Show a picture in the first cell of a row, which it moves with when rows are filtered."""
    sheet.set_row_pixels(row, _SIDE_PX + 4)
    place: Mapping[str, Any] = {
        "image_data": io.BytesIO(picture),
        "object_position": 1,
        "x_offset": 2,
        "y_offset": 2,
        "x_scale": 0.5,
        "y_scale": 0.5,
    }
    sheet.insert_image(row, 0, "face.jpg", place)


def _width(column: Column) -> int:
    """Characters that the header and the first rows need."""
    head = replace(column, values=column.values[:100])
    longest = max((len(str(cell)) for cell in head.cells()), default=0)
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


def _about(report: MediaReport, notes: Sequence[str]) -> list[Column]:
    """What the report is of, and what made it; what was left out."""
    told = [*_flat("", provenance(report)), *_flat("counts", counts(report))]
    told[:0] = [("pictures", note) for note in notes]
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
