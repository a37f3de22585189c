"""Answers as files, or for other programs."""

import csv
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from analyzer import registry
from analyzer.ask.results import SqlAnswer
from analyzer.errors import UsageError
from analyzer.files.atomic import atomic_write
from analyzer.files.text import open_text, text_cell


def write(answer: SqlAnswer, path: Path) -> None:
    """Write an answer in the format of the file's suffix: .csv, .json or .parquet.

    Raises:
        ResourceError: The file cannot be written.
        MissingDependency: pyarrow is not installed, for .parquet.
    """
    if path.suffix == ".parquet":
        codec = registry.module("formats", "parquet")
        with atomic_write(path) as part:
            codec.save(part, answer.table())
        return
    with atomic_write(path) as part, open_text(part) as stream:
        TO_STREAM[path.suffix[1:]](answer, stream)


def require_new(path: Path, folder: Path) -> None:
    """Refuse a file of another format, and one that is a result.

    Raises:
        UsageError: It is one of them.
    """
    formats = [*TO_STREAM, "parquet"]
    if path.suffix[1:] not in formats:
        raise UsageError(f"{path}: its suffix says the format: .{', .'.join(formats)}")
    if path.exists() and path.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{path}: a file among the results, which are only read: give a new name")


def write_csv(answer: SqlAnswer, stream: TextIO) -> None:
    """Write an answer as CSV; no cell is a formula for a spreadsheet."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(text_cell, answer.columns))
    writer.writerows(map(_cell, row) for row in answer.rows())


def write_json(answer: SqlAnswer, stream: TextIO) -> None:
    """Write an answer as a list with an object a row, and a line each."""
    stream.write("[")
    for number, row in enumerate(answer.rows()):
        values = dict(zip(answer.columns, map(_plain, row), strict=True))
        stream.write(",\n " if number else "\n ")
        stream.write(json.dumps(values, ensure_ascii=False, default=str))
    stream.write("\n]\n")


def first_rows(answer: SqlAnswer, limit: int) -> tuple[list[list[str]], bool]:
    """Return rows as they are shown, and whether there are more.

    Args:
        answer: The answer.
        limit: How many at most; 0: all.
    """
    rows = list(itertools.islice(answer.rows(), limit + 1 if limit else None))
    more = bool(limit) and len(rows) > limit
    return [list(map(_shown, row)) for row in (rows[:limit] if more else rows)], more


def _plain(value: Any) -> Any:
    """Return a value as JSON has it; what is no number is `null`."""
    if isinstance(value, float) and not abs(value) < float("inf"):
        return None
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): _plain(each) for name, each in value.items()}
    return value


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return text_cell(value)
    if isinstance(value, list | tuple | dict):
        return json.dumps(_plain(value), ensure_ascii=False, default=str)
    plain = _plain(value)
    return "" if plain is None else plain


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(_cell(value)) if not isinstance(value, str) else value


TO_STREAM: Mapping[str, Callable[[SqlAnswer, TextIO], None]] = {
    "csv": write_csv,
    "json": write_json,
}
"""Format -> function that writes it as text."""
