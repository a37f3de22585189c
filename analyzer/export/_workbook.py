"""Excel workbooks of tables, with fixed headers, filters, and text that stays text."""

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
"""Excel's limit of rows in a sheet, without the header."""
PICTURE_PX = 144
"""Side of pictures; cells show them half as large, for screens of high resolution."""
_CELL_PX = PICTURE_PX // 2
_MIN_WIDTH, _MAX_WIDTH = 8, 48
"""Widths of columns, in characters."""
_CREATED = datetime.datetime(1980, 1, 1)
"""Time of creation in every workbook: equal reports give equal bytes."""


@contextmanager
def create(path: Path) -> Iterator["Sheets"]:
    """Write a workbook.

    Raises:
        ResourceError: The file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="ina-xlsx-") as folder:
        # Rows are written to the disk at once: a film has too many for memory.
        workbook = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": folder})
        workbook.set_properties({"created": _CREATED})
        try:
            yield Sheets(workbook)
            workbook.close()
        except (FileCreateError, OSError) as error:
            raise ResourceError(
                f"{path}: cannot be written: {error}; check its folder, rights and space"
            ) from error
        finally:
            # XlsxWriter closes the files of the rows only if there is no error.
            for sheet in workbook.worksheets():
                sheet.row_data_fh.close()


class Sheets:
    """The sheets of a workbook, and the formats of their cells."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._bold = workbook.add_format({"bold": True, "bottom": 1})
        self._formats: dict[str, Any] = {}

    def add(
        self, title: str, columns: Sequence[Column], pictures: Sequence[bytes | None] = ()
    ) -> None:
        """Write a table; its header stays in sight and filters the rows.

        Args:
            title: Title of the sheet.
            columns: Columns of the table; rows beyond Excel's limit are left out.
            pictures: JPEG of each row, for a column at the left.
        """
        sheet = self._workbook.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        first_column = 1 if any(pictures) else 0
        if first_column:
            sheet.set_column_pixels(0, 0, _CELL_PX + 4)
            sheet.write_string(0, 0, "face", self._bold)
        for column_number, column in enumerate(columns, first_column):
            sheet.set_column(
                column_number, column_number, _column_width(column), self._cell_format(column)
            )
            sheet.write_string(0, column_number, column.name, self._bold)
        writers = [self._writer(sheet, column) for column in columns]
        rows = islice(zip(*(column.values for column in columns), strict=True), MAX_ROWS)
        last_row = 0
        for last_row, row in enumerate(rows, 1):
            if first_column and (picture := pictures[last_row - 1]):
                _insert_picture(sheet, last_row, picture)
            for column_number, (write, value) in enumerate(
                zip(writers, row, strict=True), first_column
            ):
                if value is not None and value == value:
                    write(last_row, column_number, value)
        sheet.autofilter(0, 0, last_row, first_column + len(columns) - 1)

    def _cell_format(self, column: Column) -> Any:
        """Return the format of a column's cells; each is made once."""
        number_format = {"number": "0." + "0" * column.digits, "integer": "0"}.get(column.kind, "@")
        if number_format not in self._formats:
            cell_format = {
                "num_format": number_format,
                "valign": "vcenter",
                "indent": int(number_format == "@"),
            }
            self._formats[number_format] = self._workbook.add_format(cell_format)
        return self._formats[number_format]

    def _writer(self, sheet: Any, column: Column) -> Callable[[int, int, Any], Any]:
        """Return the function that writes a cell by its type; a general `write` would guess."""
        cell_format = self._cell_format(column)
        if column.kind in ("integer", "number"):
            return lambda row, column_number, value: sheet.write_number(
                row, column_number, value, cell_format
            )
        if column.kind == "box":
            return lambda row, column_number, value: sheet.write_string(
                row, column_number, str(tuple(value)), cell_format
            )
        return lambda row, column_number, value: sheet.write_string(
            row, column_number, utf8(value), cell_format
        )


def _insert_picture(sheet: Any, row: int, picture: bytes) -> None:
    """Insert a picture in the first cell of a row; it moves with the row when rows are filtered."""
    sheet.set_row_pixels(row, _CELL_PX + 4)
    position: Mapping[str, Any] = {
        "image_data": io.BytesIO(picture),
        "object_position": 1,
        "x_offset": 2,
        "y_offset": 2,
        "x_scale": 0.5,
        "y_scale": 0.5,
    }
    sheet.insert_image(row, 0, "face.jpg", position)


def _column_width(column: Column) -> int:
    """Return the width in characters that the header and the first rows need."""
    first_rows = replace(column, values=column.values[:100])
    longest = max((len(str(cell)) for cell in first_rows.cells()), default=0)
    return min(max(longest, len(column.name) + 2, _MIN_WIDTH), _MAX_WIDTH)
