"""Joblists as CSV files, read strictly: every row is right, or none is taken."""

from __future__ import annotations

import csv
import math
import os
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ina_input import regular
from ina_input.tables import CsvRows, is_blank, lack
from joblist.clashes import Clashes, Reserved
from joblist.errors import JoblistError, Problem
from joblist.model import JobSpec, Rows, is_address

MANDATORY = ("source_path", "dest_csv")
EXTRAS = ("poster_path", "gallery", "corrections", "item_id", "start_s", "stop_s")
OF_SAMPLE = ("weight", "stratum", "draw", "draw_weight")
"""Columns of a sample of an archive: jobs do not depend on them, estimates do."""
PREFIXES = ("metric_", "group_")
MAX_ROWS = 5_000_000
MAX_PATH_BYTES = 4096
MAX_NAME_BYTES = 255 - len(".part.9999999.999")
KEPT_PROBLEMS = 1000
BREAKS = re.compile(r"[\0\n\r]")


class Problems:
    """What is wrong so far; only the first ones are kept, all are counted."""

    def __init__(self) -> None:
        self.kept: list[Problem] = []
        self.more = 0
        self.ignored: set[str] = set()
        """Columns that have no meaning."""

    def add(self, line: int, text: str) -> None:
        """Note a problem."""
        if len(self.kept) < KEPT_PROBLEMS:
            self.kept.append(Problem(line, text))
        else:
            self.more += 1

    def raise_any(self, path: Path) -> None:
        """Raise JoblistError if there is any problem, in the order of lines."""
        if self.kept:
            raise JoblistError(str(path), sorted(self.kept), more=self.more)


def read(
    path: Path | str,
    *,
    exporters: Collection[str],
    faults: Callable[[JobSpec], Iterable[str]] = lambda _: (),
    rows: Rows | None = None,
    reserved: Reserved | None = None,
) -> Iterator[JobSpec]:
    """Yield the right rows of a joblist one at a time, in constant memory.

    Whether the joblist as a whole is right shows at its end: a caller must be able to take back
    what it did with the rows before. That holds for all rows, also where some of them are wanted.

    Args:
        path: UTF-8, separated by commas; relative paths in it start at the current folder.
        exporters: Names that a `dest_` column may have.
        faults: Tells what else is wrong with a row.
        rows: Which are wanted; by default all.
        reserved: Files that no destination may be, beside the joblist.

    Raises:
        JoblistError: After the last row; with every problem of the file, its line and its cure.
    """
    path = Path(path)
    problems, rows, row = Problems(), rows or Rows(), 0
    reserved = reserved or Reserved()
    files = {str(path): "the joblist", **reserved.files}
    with Clashes(replace(reserved, files=files)) as clashes:
        for row, spec in _specs(path, exporters=exporters, problems=problems):
            for fault in faults(spec):
                problems.add(spec.line, fault)
            clashes.add(spec)
            if row in rows:
                yield spec
        for line, text in clashes.found():
            problems.add(line, text)
    if not problems.kept and (fault := rows.fault(row)):
        problems.add(1, fault)
    problems.raise_any(path)
    for name in sorted(problems.ignored):
        warnings.warn(f"{path}: column {name!r} has no meaning and is left out", stacklevel=2)


def read_one(
    values: Mapping[str, str],
    *,
    faults: Callable[[JobSpec], Iterable[str]] = lambda _: (),
    reserved: Reserved | None = None,
) -> JobSpec:
    """Return the job of one row that is not in a file.

    Args:
        values: By the columns of a joblist.
        faults: Tells what else is wrong with it.
        reserved: Files that no destination may be.

    Raises:
        JoblistError: With everything that is wrong.
    """
    problems = Problems()
    spec = _row(list(values.values()), list(values), line=0, problems=problems)
    if spec:
        with Clashes(reserved or Reserved()) as clashes:
            clashes.add(spec)
            shared = (text.replace(" of line 0", "") for _, text in clashes.found())
            for text in (*faults(spec), *shared):
                problems.add(0, text)
    problems.raise_any(Path("this job"))
    assert spec
    return spec


def _specs(
    path: Path, *, exporters: Collection[str], problems: Problems
) -> Iterator[tuple[int, JobSpec]]:
    """Yield the right rows with their numbers; note what is wrong with the others."""
    line = 1
    try:
        with CsvRows(path, strict=True) as reader:
            header = _header(next(reader, []), exporters=exporters, problems=problems)
            jobs = 0
            for cells in reader if header else ():
                line, start = reader.line_num, line + 1
                if is_blank(cells):
                    continue
                jobs += 1
                if jobs > MAX_ROWS:
                    problems.add(start, f"more than {MAX_ROWS} rows: cut the joblist into several")
                    return
                spec = _row(cells, header, line=start, problems=problems)
                if spec:
                    yield jobs, spec
            if header and not jobs:
                problems.add(1, "no jobs: write a row for each medium under the header")
    except UnicodeDecodeError:
        problems.add(_line_of(path), "not UTF-8: save the joblist with encoding UTF-8")
    except csv.Error as error:
        problems.add(line + 1, f"not CSV ({error}): check the quotes around this row's cells")
    except OSError as error:
        raise JoblistError(
            str(path), [Problem(0, f"cannot be read: {error.strerror}: check the path")]
        ) from error


def _line_of(path: Path) -> int:
    """Return the line of the first byte that is not UTF-8."""
    with regular.open_binary(path) as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1


def _header(names: list[str], *, exporters: Collection[str], problems: Problems) -> list[str]:
    """Return the column names, or nothing when no row could be read under them."""
    before = len(problems.kept)
    names = [name.strip() for name in names]
    if fault := lack(names, MANDATORY):
        problems.add(1, fault)
    if not any(name in names for name in MANDATORY):
        return []
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(1, f"column {name} appears twice: remove one")
    for name in names:
        _check_column(name, exporters=exporters, problems=problems)
    return names if len(problems.kept) == before else []


def _check_column(name: str, *, exporters: Collection[str], problems: Problems) -> None:
    if name.startswith("dest_"):
        if name.removeprefix("dest_") not in exporters:
            allowed = ", ".join(f"dest_{exporter}" for exporter in sorted(exporters))
            problems.add(1, f"column {name} has no exporter: there are {allowed}")
    elif name not in MANDATORY + EXTRAS + OF_SAMPLE and not name.startswith(PREFIXES):
        problems.ignored.add(name)


def _row(cells: list[str], header: list[str], *, line: int, problems: Problems) -> JobSpec | None:
    """Return the job of a row, or None when something is wrong with it."""
    if len(cells) != len(header):
        problems.add(
            line,
            f"{len(cells)} cells under {len(header)} columns: quote cells that contain commas",
        )
        return None
    faults: list[str] = []
    values = dict(zip(header, cells, strict=True))
    dests = {
        name.removeprefix("dest_"): _dest(name, value, faults)
        for name, value in values.items()
        if name.startswith("dest_") and (value or name in MANDATORY)
    }
    spec = JobSpec(
        source_path=_source(values["source_path"], faults),
        dests=dests,
        poster_path=_optional_path("poster_path", values, faults),
        gallery=_optional_path("gallery", values, faults),
        corrections=_optional_path("corrections", values, faults),
        item_id=values.get("item_id") or None,
        metrics=_metrics(values, faults),
        start_s=_second("start_s", values, faults),
        stop_s=_second("stop_s", values, faults),
        line=line,
    )
    if spec.stop_s is not None and spec.stop_s <= (spec.start_s or 0):
        faults.append(f"stop_s {values['stop_s']} is not after start_s: turn them round")
    for fault in faults:
        problems.add(line, fault)
    return None if faults else spec


def _source(text: str, faults: list[str]) -> str:
    if is_address(text) and not _is_longer(text, MAX_PATH_BYTES):
        return text
    return _path("source_path", text, faults)


def _dest(column: str, text: str, faults: list[str]) -> str:
    path = _path(column, text, faults)
    name = os.path.basename(path)
    if text.endswith("/") or name in (".", ".."):
        faults.append(f"{column} {text!r} is a folder: name a file in it")
    if _is_longer(name, MAX_NAME_BYTES):
        faults.append(f"{column}: the file name is longer than {MAX_NAME_BYTES} bytes: shorten it")
    return path


def _optional_path(column: str, values: dict[str, str], faults: list[str]) -> str | None:
    text = values.get(column)
    return _path(column, text, faults) if text else None


def _path(column: str, text: str, faults: list[str]) -> str:
    """Return the absolute path of a cell."""
    if not text.strip():
        faults.append(f"{column} is empty: give a path")
    elif BREAKS.search(text):
        faults.append(f"{column} {text!r} contains a line break or NUL: rename the file")
    elif _is_longer(text, MAX_PATH_BYTES):
        faults.append(f"{column} is longer than {MAX_PATH_BYTES} bytes: shorten it")
    else:
        return os.path.abspath(text)
    return text


def _is_longer(text: str, limit: int) -> bool:
    """Say whether a text has more bytes than this; few need to be encoded to know."""
    return 4 * len(text) > limit and len(os.fsencode(text)) > limit


def _second(column: str, values: dict[str, str], faults: list[str]) -> float | None:
    """Return the second of a medium in a cell; None where it is empty."""
    text = values.get(column, "").strip()
    if not text:
        return None
    try:
        second = float(text)
    except ValueError:
        second = math.nan
    if not 0 <= second < math.inf:
        faults.append(f"{column} {text!r} is no second of a medium: write it as 90 or 90.5")
    return second


def _metrics(values: dict[str, str], faults: list[str]) -> dict[str, float]:
    metrics = {}
    for name, text in values.items():
        if not name.startswith("metric_") or not text:
            continue
        try:
            metrics[name] = float(text)
        except ValueError:
            metrics[name] = math.nan
        if not math.isfinite(metrics[name]):
            faults.append(f"{name} {text!r} is not a number: write it as 12.5, or leave it empty")
    return metrics
