"""The segments of a sample that have results, as arrays."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analyzer.errors import UsageError
from analyzer.sampling.results import UNLABELLED, AmountReader, Result
from analyzer.shares.confusion import Confusion
from analyzer.shares.tables import tables_of
from analyzer.types import F64, I64
from ina_input.tables import CsvTable

NEEDED = ("source_path", "start_s", "stop_s", "weight")


@dataclass(frozen=True)
class Answers:
    """Answers of the network in n segments, and what it confuses."""

    seconds: F64
    """(n, S, K) time of each answer, in each class of size."""
    table: Confusion
    groups: list[str]
    """Groups of the table, as amounts have them."""


@dataclass(frozen=True)
class Segments:
    """Segments with results, each as often as it was drawn; arrays (n,)."""

    amounts: dict[str, F64]
    """Group -> its amount in each segment; unlabelled ones under the empty name."""
    length_s: F64
    weight: F64
    stratum: I64
    cluster: I64
    draw: I64
    """0 where the joblist knows no draws."""
    draw_weight: F64
    columns: dict[str, list[str]]
    """Columns of the joblist by which shares may be estimated."""
    listed: int
    """Segments of the joblist."""
    missing: int
    """Those without results."""
    first_missing: float
    """First draw without results; infinite where all have some."""
    merged: tuple[str, ...] = ()
    """Strata that were put together, as their draws were too few."""
    answers: Answers | None = None
    """What the network answered; `None` where results do not tell, or nothing corrects it."""

    @property
    def is_census(self) -> bool:
        """Whether every segment of the archive was analysed."""
        return bool((self.weight == 1).all() and (self.draw == 0).all())

    @property
    def labelled(self) -> F64:
        """Amounts of all groups together (n,)."""
        labelled = [v for name, v in self.amounts.items() if name != UNLABELLED]
        return np.sum(labelled, axis=0) if labelled else np.zeros(len(self.weight))


def read(
    path: Path, reader: AmountReader, *, by: str | None = None, merge_strata: bool = False
) -> Segments:
    """Read a joblist of `plan`, and the results of its segments.

    Args:
        path: The joblist.
        reader: AmountReader of the results.
        by: Column by which shares are wanted.
        merge_strata: Whether strata with results of one draw are put together.

    Raises:
        UsageError: What is wrong with the joblist, or with results; or there are none yet.
    """
    rows = _rows(path, by)
    with_results: list[tuple[Mapping[str, str], Result]] = []
    first_missing, missing = float("inf"), 0
    for row in rows:
        dests = {n.removeprefix("dest_"): v for n, v in row.items() if n.startswith("dest_")}
        result = reader.result(dests)
        if result is None:
            missing += 1
            first_missing = min([first_missing, *map(int, row.get("draw", "").split())])
        else:
            with_results.append((row, result))
    if not with_results:
        raise UsageError(f"{path}: no segment has results yet: serve the joblist first")
    read_segments = _segments(path, rows, with_results, by, missing, first_missing, merge_strata)
    results = [result for _, result in with_results]
    answers = _answers(reader, results)
    if answers is None:
        return read_segments
    places = [place for place, (row, _) in enumerate(with_results) for _ in _draws(row)]
    return replace(read_segments, answers=replace(answers, seconds=answers.seconds[places]))


def _draws(row: Mapping[str, str]) -> list[str]:
    """Return the draws that hit a segment; 0 where there are none."""
    return row.get("draw", "").split() or ["0"]


def _answers(reader: AmountReader, results: Sequence[Result]) -> Answers | None:
    """Return the answers in each of n segments; `None` where not all are known of one network."""
    seconds = [result.answers for result in results if result.answers is not None]
    models, age = results[0].models, results[0].sex_given_from
    alike = all((result.models, result.sex_given_from) == (models, age) for result in results)
    if len(seconds) < len(results) or not alike:
        if reader.own is not None:
            raise UsageError(
                f"{reader.own.path}: corrects no results of versions that kept no answers_s, or of "
                "several networks or --min_sex_age: serve the joblist again"
            )
        return None
    table = tables_of(models, reader.own, sex_given_from=age).get(reader.head)
    return None if table is None else Answers(np.stack(seconds), table, reader.groups)


def _rows(path: Path, by: str | None) -> list[dict[str, str]]:
    try:
        with CsvTable(path, strict=True) as table:
            wanted = [*NEEDED, *([by] if by else [])]
            for name in wanted:
                if name not in table.columns:
                    named = ", ".join(n for n in table.columns if n.startswith("group_"))
                    raise UsageError(
                        f"{path}: no column {name}: take the joblist that plan has written"
                        + f"; there are stratum, {named}" * (name == by)
                    )
            return [row for _, row in table.rows()]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read as a joblist: {error}") from error


def _number(path: Path, row: Mapping[str, str], name: str, default: float | None = None) -> float:
    text = row.get(name, "")
    try:
        return default if default is not None and not text else float(text)
    except ValueError as error:
        raise UsageError(f"{path}: {name} {text!r} is not a number: plan writes one") from error


def _segments(
    path: Path,
    rows: Sequence[Mapping[str, str]],
    with_results: Sequence[tuple[Mapping[str, str], Result]],
    by: str | None,
    missing: int,
    first_missing: float,
    merge_strata: bool,
) -> Segments:
    """Return the segments with results, with weights that make up for those without."""
    names = list(dict.fromkeys(row.get("stratum", "") for row in rows))
    films = list(dict.fromkeys(row["source_path"] for row in rows))
    number = {name: place for place, name in enumerate(names)}
    film_number = {name: place for place, name in enumerate(films)}
    planned = np.zeros(len(names))
    for row in rows:
        planned[number[row.get("stratum", "")]] += _weighted_s(path, row)
    drawn = []
    for place, (row, _) in enumerate(with_results):
        draws = _draws(row)
        drawn += [(place, int(draw), len(draws)) for draw in draws]
    places = np.array([place for place, _, _ in drawn])
    draw = np.array([each for _, each, _ in drawn], np.int64)
    row_of = [with_results[place][0] for place in places]
    stratum = np.array([number[row.get("stratum", "")] for row in row_of], np.int64)
    film = np.array([film_number[row["source_path"]] for row in row_of], np.int64)
    counts = np.array([count for _, _, count in drawn])
    weight = np.array([_number(path, row, "weight") for row in row_of]) / counts
    length_s = np.array(
        [_number(path, row, "stop_s") - _number(path, row, "start_s", 0.0) for row in row_of]
    )
    answered = np.bincount(stratum, weight * length_s, len(names))
    weight = weight * (planned / np.where(answered > 0, answered, np.inf))[stratum]
    cluster = np.where(draw > 0, draw, -1 - film)
    merged: tuple[str, ...] = ()
    if (draw > 0).any() or (weight != 1).any():
        stratum, merged = _with_spread(path, stratum, cluster, names, merge_strata)
    groups = sorted({group for _, result in with_results for group in result.amounts})
    return Segments(
        amounts={
            g: np.array([with_results[p][1].amounts.get(g, 0.0) for p in places]) for g in groups
        },
        length_s=length_s,
        weight=weight,
        stratum=stratum,
        cluster=np.unique(cluster, return_inverse=True)[1].astype(np.int64),
        draw=draw,
        draw_weight=np.array([_number(path, row, "draw_weight", 1.0) for row in row_of]),
        columns={by: [row[by] for row in row_of]} if by else {},
        listed=len(rows),
        missing=missing,
        first_missing=first_missing,
        merged=merged,
    )


def _weighted_s(path: Path, row: Mapping[str, str]) -> float:
    length_s = _number(path, row, "stop_s") - _number(path, row, "start_s", 0.0)
    return _number(path, row, "weight") * length_s


def _with_spread(
    path: Path, stratum: I64, cluster: I64, names: Sequence[str], merge: bool
) -> tuple[I64, tuple[str, ...]]:
    """Return the strata, those of one cluster put together, and the names of these.

    Raises:
        UsageError: There are such strata, and they are not to be put together.
    """
    pairs = np.unique(np.stack([stratum, cluster], 1), axis=0)
    counts = np.bincount(pairs[:, 0], minlength=len(names))
    lonely = np.flatnonzero(counts == 1)
    if not len(lonely):
        return stratum, ()
    named = tuple(names[place] or "all" for place in lonely.tolist())
    if not merge:
        raise UsageError(
            f"{path}: stratum {', '.join(named[:10])}: results of one draw only, which tell "
            "nothing of its spread: wait for more, plan more segments or fewer strata, or add "
            "--merge_strata"
        )
    if len(lonely) == 1 and (counts > 1).any():
        others = np.where(counts > 1, counts, counts.max() + 1)
        lonely = np.append(lonely, others.argmin())
    return np.where(np.isin(stratum, lonely), lonely[0], stratum), named
