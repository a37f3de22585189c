"""Lines of the CSV files that say what is true."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from analyzer.errors import InputError
from ina_input.tables import CsvTable

_Line = TypeVar("_Line")


def read(
    path: Path, columns: Sequence[str], line_of: Callable[[dict[str, str], str], _Line], kind: str
) -> list[_Line]:
    """Read all lines of a CSV file.

    Args:
        path: Path of the file.
        columns: Names of all columns, in order.
        line_of: Turns a row, and the text for its place in the file, into a line.
        kind: Name of a line, for messages.

    Raises:
        InputError: The file is missing, has other columns, or has no line, or one that cannot be
            read.
    """
    try:
        with CsvTable(path) as table:
            if tuple(table.columns) != tuple(columns):
                raise InputError(f"{path}: the columns must be {', '.join(columns)}")
            lines = [
                line_of(_whole(row, where), where)
                for line, row in table.rows()
                for where in [f"{path}, line {line}"]
            ]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the path of the {kind}s") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a table ({error}); write it as CSV in UTF-8") from error
    if not lines:
        raise InputError(f"{path}: no {kind} below the header")
    return lines


def _whole(row: dict[str, str], where: str) -> dict[str, str]:
    if "" in row:
        raise InputError(f"{where}: more cells than columns; put names with commas in quotes")
    return row
