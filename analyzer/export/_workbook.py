"""Excel workbooks of tables: headers stay in sight, columns can be filtered, text stays text."""

import datetime
import io
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import FileCreateError

from analyzer.errors import ResourceError
from analyzer.files.columns import Column
from analyzer.files.text import utf8

MAX_ROWS = 1_048_575
"""Of a sheet, less its header: Excel's limit."""
PICTURE_PX = 144
"""Sides of pictures; cells show them half as large, for fine screens."""
_SHOWN_PX = PICTURE_PX // 2
_WIDTHS = 8, 48
"""Of columns, in characters."""
_LONG_AGO = datetime.datetime(1980, 1, 1)
"""When it says it was made: equal reports give equal bytes."""


@contextmanager
def create(path: Path) -> Iterator["Sheets"]:
    """Write a workbook.

    Raises:
        ResourceError: The file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="ina-xlsx-") as folder:
        # Rows go to the disk at once: a film has too many for memory.
        book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": folder})
        book.set_properties({"created": _LONG_AGO})
        try:
            yield Sheets(book)
            book.close()
        except (FileCreateError, OSError) as error:
            raise ResourceError(
                f"{path}: cannot be written: {error}; check its folder, rights and space"
            ) from error
        finally:
            # XlsxWriter closes the rows' files only where all goes well.
            for sheet in book.worksheets():
                sheet.row_data_fh.close()


class Sheets:
    """The sheets of a workbook, and the forms of their cells."""

    def __init__(self, book: Any) -> None:
        self._book = book
        self._bold = book.add_format({"bold": True, "bottom": 1})
        self._forms: dict[str, Any] = {}

    def add(
        self, title: str, columns: Sequence[Column], pictures: Sequence[bytes | None] = ()
    ) -> None:
        """Write a table; its header stays in sight and filters the rows.

        Args:
            title: Title of the sheet.
            columns: Columns of the table; what is beyond Excel's limit is left out.
            pictures: JPEG of each row, for a column in front.
        """
        sheet = self._book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        first = 1 if any(pictures) else 0
        if first:
            sheet.set_column_pixels(0, 0, _SHOWN_PX + 4)
            sheet.write_string(0, 0, "face", self._bold)
        for column_number, column in enumerate(columns, first):
            sheet.set_column(column_number, column_number, _width(column), self._form(column))
            sheet.write_string(0, column_number, column.name, self._bold)
        writers = [self._writer(sheet, column) for column in columns]
        rows = islice(zip(*(column.values for column in columns), strict=True), MAX_ROWS)
        last = 0
        for last, row in enumerate(rows, 1):
            if first and (picture := pictures[last - 1]):
                _insert(sheet, last, picture)
            for column_number, (write, value) in enumerate(zip(writers, row, strict=True), first):
                if value is not None and value == value:
                    write(last, column_number, value)
        sheet.autofilter(0, 0, last, first + len(columns) - 1)

    def _form(self, column: Column) -> Any:
        """Return the form of a column's cells; each is made once."""
        shown = {"number": "0." + "0" * column.digits, "integer": "0"}.get(column.kind, "@")
        if shown not in self._forms:
            form = {"num_format": shown, "valign": "vcenter", "indent": int(shown == "@")}
            self._forms[shown] = self._book.add_format(form)
        return self._forms[shown]

    def _writer(self, sheet: Any, column: Column) -> Callable[[int, int, Any], Any]:
        """Return the method that writes a cell by its type; the general `write` would guess."""
        form = self._form(column)
        if column.kind in ("integer", "number"):
            return lambda row, column_number, value: sheet.write_number(
                row, column_number, value, form
            )
        if column.kind == "box":
            return lambda row, column_number, value: sheet.write_string(
                row, column_number, str(tuple(value)), form
            )
        return lambda row, column_number, value: sheet.write_string(
            row, column_number, utf8(value), form
        )


def _insert(sheet: Any, row: int, picture: bytes) -> None:
    """Show a picture in the first cell of a row, which it moves with when rows are filtered."""
    sheet.set_row_pixels(row, _SHOWN_PX + 4)
    position: Mapping[str, Any] = {
        "image_data": io.BytesIO(picture),
        "object_position": 1,
        "x_offset": 2,
        "y_offset": 2,
        "x_scale": 0.5,
        "y_scale": 0.5,
    }
    sheet.insert_image(row, 0, "face.jpg", position)


def _width(column: Column) -> int:
    """Return characters that the header and the first rows need."""
    head = replace(column, values=column.values[:100])
    longest = max((len(str(cell)) for cell in head.cells()), default=0)
    least, most = _WIDTHS
    return min(max(longest, len(column.name) + 2, least), most)
