"""Text files, and cells of tables that are safe in a spreadsheet."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from analyzer.files.atomic import writing

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\0")


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    r"""Open a UTF-8 file with LF line ends for writing.

    Bytes of a file name that are not UTF-8 are written as `\udcXX`; they raise no error.

    Args:
        path: Path of the file.

    Raises:
        ResourceError: The file cannot be written.
    """
    with (
        writing(path),
        path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as stream,
    ):
        yield stream


def write_json(path: Path, document: Any, *, indent: int | None = 1) -> None:
    """Write a JSON file.

    Args:
        path: Path of the file.
        document: JSON-able value, without NaN.
        indent: Spaces per level; `None` for one line.

    Raises:
        ResourceError: The file cannot be written.
    """
    with open_text(path) as stream:
        json.dump(document, stream, ensure_ascii=False, allow_nan=False, indent=indent)
        stream.write("\n")


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file.

    Args:
        path: Path of the file.
        header: Names of the columns.
        rows: Rows of cells, in the order of `header`.

    Raises:
        ResourceError: The file cannot be written.
    """
    with open_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def is_utf8(text: str) -> bool:
    """Return whether a path is text, without bytes that are not UTF-8."""
    return utf8(text) == text


def utf8(text: str) -> str:
    r"""Return text in which bytes that are not UTF-8 are written as `\udcXX`; see `open_text`."""
    return text.encode("utf-8", "backslashreplace").decode()


def text_cell(text: str) -> str:
    """Return text that a spreadsheet does not run as a formula: with an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def number_cell(value: float | None, digits: int) -> str:
    """Return a number with a fixed number of decimals; empty text for `None` and NaN."""
    return "" if value is None or value != value else f"{value:.{digits}f}"
