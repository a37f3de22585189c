"""Catalogues of archives: a csv with a row for each film, read strictly."""

import csv
import math
import os
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analyzer.errors import UsageError
from analyzer.types import F64, I64
from ina_input.tables import CsvRows, is_blank, lack
from joblist.errors import JoblistError
from joblist.model import is_address
from joblist.reader import Problems

PATH, DURATION = "source_path", "duration_s"


@dataclass(frozen=True)
class FilmCatalogue:
    """The films of an archive."""

    paths: list[str]
    duration_s: F64
    """(N,)"""
    columns: dict[str, tuple[list[str], I64]]
    """Column -> its values, and the number of each film's (N,)."""

    def strata(self, names: Sequence[str]) -> tuple[list[str], I64]:
        """Return the names of strata, and the number of each film's (N,).

        Args:
            names: Columns of which each combination of values is a stratum; none for one stratum.
        """
        if not names:
            return ["all"], np.zeros(len(self.paths), np.int64)
        labels, numbers = self.columns[names[0]]
        for name in names[1:]:
            values, codes = self.columns[name]
            # One column at a time: the products of many would not fit into an integer.
            kinds, numbers = np.unique(numbers * len(values) + codes, return_inverse=True)
            pairs = (divmod(kind, len(values)) for kind in kinds.tolist())
            labels = [f"{labels[above]}/{values[code]}" for above, code in pairs]
        return labels, numbers.astype(np.int64)

    def value(self, name: str, film: int) -> str:
        """Return what a column says of a film."""
        values, numbers = self.columns[name]
        return values[numbers[film]]


def read(path: Path, columns: Sequence[str] = ()) -> FilmCatalogue:
    """Read a catalogue.

    Args:
        path: UTF-8, separated by commas.
        columns: Names of further columns that are wanted.

    Raises:
        UsageError: Its faults, each with its line and its cure.
    """
    problems = Problems()
    try:
        catalogue = _read(path, list(dict.fromkeys(columns)), problems)
        problems.raise_any(path)
    except JoblistError as error:
        raise UsageError(str(error)) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8: save it with this encoding") from error
    except csv.Error as error:
        raise UsageError(f"{path}: not CSV: {error}: check the quotes") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror}: check the path") from error
    if not catalogue.paths:
        raise UsageError(f"{path}: no films: write a row for each under the header")
    return catalogue


def _read(path: Path, names: list[str], problems: Problems) -> FilmCatalogue:
    paths: list[str] = []
    seen: dict[str, int] = {}
    durations = array("d")
    values: list[dict[str, int]] = [{} for _ in names]
    numbers = [array("q") for _ in names]
    with CsvRows(path, strict=True) as rows:
        header = [name.strip() for name in next(rows, [])]
        if fault := lack(header, (PATH, DURATION, *names)):
            problems.add(1, fault)
            problems.raise_any(path)
        for name in dict.fromkeys((PATH, DURATION, *names)):
            if header.count(name) > 1:
                problems.add(1, f"{header.count(name)} columns {name}: keep one")
        where = [header.index(name) for name in (PATH, DURATION, *names)]
        for cells in rows:
            line = rows.line_num
            if len(cells) != len(header):
                if is_blank(cells):
                    continue
                text = f"{len(cells)} cells under {len(header)} columns: quote cells with commas"
                problems.add(line, text)
                continue
            film, text, *others = [cells[number] for number in where]
            if not film.strip():
                if is_blank(cells):
                    continue
                problems.add(line, f"{PATH} is empty: give a path")
            elif (first := seen.setdefault(_spelled(film), line)) != line:
                problems.add(line, f"{PATH} {film!r} is that of line {first}, too: remove one")
            duration_s = _duration_s(text, line, problems)
            paths.append(film)
            durations.append(duration_s)
            for known, codes, value in zip(values, numbers, others, strict=True):
                codes.append(known.setdefault(value.strip() or "unknown", len(known)))
    columns = {
        name: (list(known), np.array(codes, np.int64))
        for name, known, codes in zip(names, values, numbers, strict=True)
    }
    return FilmCatalogue(paths, np.array(durations, np.float64), columns)


def _spelled(path: str) -> str:
    """Return a path as others that name the same file spell it, too."""
    return path if is_address(path) else os.path.normpath(path)


def _duration_s(text: str, line: int, problems: Problems) -> float:
    """Return a film's duration; note what is wrong with it."""
    if not text.strip():
        problems.add(line, f"{DURATION} is empty: write the film's seconds, as ffprobe states them")
        return 0.0
    try:
        duration_s = float(text)
    except ValueError:
        duration_s = math.nan
    if not 0 < duration_s < math.inf:
        problems.add(line, f"{DURATION} {text!r} is no length: write seconds, such as 5400.5")
        return 0.0
    return duration_s
