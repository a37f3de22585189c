"""Files of text, and cells that stay text in a spreadsheet."""

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

    Bytes of a file name that are no UTF-8 come out as `\udcXX`, not as an error.

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

    Raises:
        ResourceError: The file cannot be written.
    """
    with open_text(path) as stream:
        json.dump(document, stream, ensure_ascii=False, allow_nan=False, indent=indent)
        stream.write("\n")


def write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file.

    Raises:
        ResourceError: The file cannot be written.
    """
    with open_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def utf8(text: str) -> str:
    r"""Return text with bytes that are no UTF-8 as `\\udcXX`; see `open_text`."""
    return text.encode("utf-8", "backslashreplace").decode()


def text_cell(text: str) -> str:
    """Keep a spreadsheet from running a name or path as a formula: an apostrophe before it."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def number_cell(value: float | None, digits: int) -> str:
    """Return a number with a fixed count of decimals; empty for `None` and NaN."""
    return "" if value is None or value != value else f"{value:.{digits}f}"
