"""CSV with bounds on rows, their length, and their number."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any, TextIO, TypeVar

from ina_input import regular
from ina_input.regular import Location, Opener

MAX_ROWS = 20_000_000
MAX_COLUMNS = 1000
MAX_ROW_CHARACTERS = 1 << 20


Rows = TypeVar("Rows", bound="CsvRows")


def is_blank(cells: list[str]) -> bool:
    """Return whether a row is as good as an empty line: spreadsheets leave rows of commas behind.

    Args:
        cells: Cells of the row.
    """
    return not any(cell.strip() for cell in cells)


def lack(header: Sequence[str], names: Iterable[str]) -> str:
    """Return why a header has not all columns of these names, with the cure; empty if it has.

    Spreadsheets of many countries separate columns by semicolons.

    Args:
        header: Cells of the first row.
        names: Names of the columns that are needed.
    """
    wanted = list(names)
    missing = [name for name in wanted if name not in header]
    if not missing:
        return ""
    if is_blank(list(header)):
        return f"no header: the first line must name {' and '.join(wanted)}"
    if len(header) == 1 and any(separator in header[0] for separator in ";\t"):
        return "columns are separated by ';' or tabs: separate them by commas"
    return f"no column {' and '.join(missing)}: add it; the header has {', '.join(header)}"


class CsvRows:
    """Rows of a CSV file in order; a context manager, which closes the file.

    Args:
        path: Path of the file.
        strict: Whether quotes that are not closed are an error.
        encoding: Encoding of the file.
        errors: Treatment of bytes that are not of this encoding.
        max_rows: Largest number of rows that are not empty, the header among them.
        opener: Function that opens the file.

    Raises:
        OSError: The file is missing, unreadable, or not a regular file.
        csv.Error: While rows are read: the file is not CSV, or exceeds a bound.
        UnicodeDecodeError: While rows are read: the file is not of the encoding.
    """

    def __init__(
        self,
        path: Location,
        *,
        strict: bool = False,
        encoding: str = "utf-8-sig",
        errors: str = "strict",
        max_rows: int = MAX_ROWS,
        opener: Opener = regular.open_descriptor,
    ) -> None:
        self._stream = regular.open_text(
            path, encoding=encoding, errors=errors, newline="", opener=opener
        )
        self._reader = csv.reader(self._lines(self._stream), strict=strict)
        self._max_rows = max_rows
        self._rows = self._characters = 0

    def __enter__(self: Rows) -> Rows:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stream.close()

    @property
    def line_num(self) -> int:
        """Number of lines that were read."""
        return self._reader.line_num

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        self._characters = 0
        cells = next(self._reader)
        if len(cells) > MAX_COLUMNS:
            raise csv.Error(f"line {self.line_num}: more than {MAX_COLUMNS} cells")
        self._rows += bool(cells)
        if self._rows > self._max_rows:
            raise csv.Error(f"more than {self._max_rows} rows")
        return cells

    def _lines(self, stream: TextIO) -> Iterator[str]:
        """Yield lines; those of one row must not be too long together."""
        while line := stream.readline(MAX_ROW_CHARACTERS + 1):
            self._characters += len(line)
            if self._characters > MAX_ROW_CHARACTERS:
                raise csv.Error(
                    f"line {self.line_num + 1}: a row of more than {MAX_ROW_CHARACTERS} characters"
                )
            yield line


class CsvTable(CsvRows):
    """Rows of a CSV file by the names in its header; see `CsvRows`.

    Args:
        path: Path of the file.
        options: Those of `CsvRows`.
    """

    def __init__(self, path: Location, **options: Any) -> None:
        super().__init__(path, **options)
        try:
            self.columns: list[str] = next(super().__iter__(), [])
        except BaseException:
            self._stream.close()
            raise

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield the number of its last line, and the cells of each row that is not blank.

        Cells that are missing are empty; of more cells than columns, the row has those beyond
        under the name "".
        """
        names = self.columns
        for cells in self:
            if not is_blank(cells):
                row = dict(zip(names, cells, strict=False))
                if len(cells) < len(names):
                    row |= dict.fromkeys(names[len(cells) :], "")
                elif len(cells) > len(names):
                    row[""] = ",".join(cells[len(names) :])
                yield self.line_num, row
