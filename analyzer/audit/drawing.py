"""Draw an audit from results: by predicted sex and age, size, darkness, and columns of a list."""

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analyzer.audit import crops, faces, lot
from analyzer.audit.audit_file import Audit, AuditedFace, PredictedShare
from analyzer.audit.faces import Candidates, Population
from analyzer.errors import InputError, UsageError
from analyzer.reports import report_file
from analyzer.sampling import ratio
from analyzer.shares import answers as network
from analyzer.shares.measure import NOT_GIVEN
from analyzer.types import F64, I64, ProgressHook
from ina_input.tables import CsvTable, lack

SIZE, DARKNESS = "size", "darkness"
SIZES = ("large", "medium", "small", "tiny")
"""Names of the classes of size: around 150, 80, 40 and 20 pixels."""
LEAST_FILMS = 20
"""Films from which on they are the clusters: of fewer, the spread between them is not known."""
_MEASURED = 4
"""Faces of which the darkness is measured, for each one that is drawn."""
_UNKNOWN = "unknown"


@dataclass(frozen=True)
class DrawWish:
    """What is to be drawn."""

    count: int
    strata: Sequence[str]
    """Variables: `sex`, `age`, `size`, `darkness`, and columns of the list."""
    catalogue: Path | None = None
    """Csv with a column source_path, and others."""
    per_person: int = 1
    seed: int = 0


def draw(paths: Sequence[str], wish: DrawWish, progress: ProgressHook | None = None) -> Audit:
    """Draw faces.

    Args:
        paths: Folders, joblists or reports.
        wish: What is to be drawn.
        progress: Hook that is called with each report.

    Raises:
        InputError: The results or the list cannot be read, or are of several networks.
        UsageError: There is no such variable.
    """
    columns = _columns(wish)
    random = np.random.default_rng(wish.seed)
    population = faces.read(paths, per_person=wish.per_person, random=random, progress=progress)
    _require_one_network(population)
    candidates = population.candidates
    variables = {
        name: _variable(name, population, columns) for name in wish.strata if name != DARKNESS
    }
    notes = [_too_few(wish, len(candidates.row))] if wish.count > len(candidates.row) else []
    weights = candidates.weight
    if DARKNESS in wish.strata:
        codes = [code for _, code in variables.values()]
        places, weights = lot.draw(weights, codes, _MEASURED * wish.count, random)
        candidates = _taken(candidates, places)
        variables = {name: (names, code[places]) for name, (names, code) in variables.items()}
        measured = _darkness(population, candidates, notes.append)
        variables[DARKNESS] = ([*crops.DARKNESS, _UNKNOWN], measured)
    places, weights = lot.draw(weights, [c for _, c in variables.values()], wish.count, random)
    candidates = replace(_taken(candidates, places), weight=weights)
    groups = {name: [names[c] for c in code[places]] for name, (names, code) in variables.items()}
    return Audit(
        seed=wish.seed,
        faces=_described(population, candidates, groups),
        total=population.faces,
        clustered_by="film" if _has_films(population) else "person",
        shares=_shares(population),
        models=population.reports[0].models,
        sex_given_from=population.reports[0].sex_given_from,
        notes=notes,
    )


def _too_few(wish: DrawWish, count: int) -> str:
    return (
        f"{wish.count} faces are wanted, and there are {count} with {wish.per_person} of each "
        "person: all of them are taken"
    )


def _require_one_network(population: Population) -> None:
    """Refuse reports of different networks: they err differently."""
    first = population.reports[0]
    for report in population.reports:
        if report.models != first.models:
            raise InputError(
                f"{first.path} and {report.path} are of different networks: audit them one by one"
            )
        if report.sex_given_from != first.sex_given_from:
            raise InputError(
                f"{first.path} and {report.path} have different --min_sex_age: audit them one by "
                "one"
            )


_Variable = tuple[Sequence[str], I64]
"""Names of the groups, and the group of each face (n,)."""


def _variable(
    name: str, population: Population, columns: Mapping[str, Mapping[str, str]]
) -> _Variable:
    candidates = population.candidates
    if name == SIZE:
        return SIZES, candidates.size
    if name in columns:
        uris = [_resolved(report.uri) for report in population.reports]
        values = [columns[name].get(uri, _UNKNOWN) or _UNKNOWN for uri in uris]
        names, codes = np.unique(values, return_inverse=True)
        return names.tolist(), codes.astype(np.int64)[candidates.report]
    if name in candidates.groups:
        return (*network.GROUPS[name], NOT_GIVEN), candidates.groups[name]
    strata = ", ".join([*candidates.groups, SIZE, DARKNESS, *columns])
    raise UsageError(f"no stratum {name}: there are {strata}; columns need --catalogue")


def _columns(wish: DrawWish) -> dict[str, dict[str, str]]:
    """Return column -> resolved source_path -> value, of the columns that are wanted."""
    if wish.catalogue is None:
        return {}
    try:
        with CsvTable(wish.catalogue, strict=True) as table:
            if fault := lack(table.columns, ["source_path"]):
                raise InputError(f"{wish.catalogue}: {fault}")
            columns: dict[str, dict[str, str]] = {
                name: {} for name in table.columns if name in wish.strata
            }
            for _, row in table.rows():
                for name, values in columns.items():
                    values[_resolved(row["source_path"])] = row[name]
            return columns
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{wish.catalogue}: cannot be read as a list of media: {error}") from error


def _resolved(path: str) -> str:
    return os.path.realpath(path)


def _taken(candidates: Candidates, places: I64) -> Candidates:
    def of_heads(values: Mapping[str, I64]) -> dict[str, I64]:
        return {head: of_head[places] for head, of_head in values.items()}

    return Candidates(
        report=candidates.report[places],
        row=candidates.row[places],
        cluster=candidates.cluster[places],
        weight=candidates.weight[places],
        time_s=candidates.time_s[places],
        seconds=candidates.seconds[places],
        size=candidates.size[places],
        groups=of_heads(candidates.groups),
        answers=of_heads(candidates.answers),
        labels=of_heads(candidates.labels),
    )


def _darkness(population: Population, candidates: Candidates, note: Callable[[str], None]) -> I64:
    """Return the class (n,) of each face, the last one for those that are not found again."""
    codes = np.empty(len(candidates.row), np.int64)
    for number, places in faces.by_report(candidates.row, candidates.report):
        report = report_file.load(population.reports[number].path)
        measured = crops.darkness(report, candidates.row[places].tolist(), note)
        codes[places] = crops.of_rows(measured, candidates.row[places], len(crops.DARKNESS))
    return codes


def _described(
    population: Population, candidates: Candidates, groups: Mapping[str, Sequence[str]]
) -> list[AuditedFace]:
    return [
        AuditedFace(
            face=index + 1,
            report=str(population.reports[report].path),
            row=int(candidates.row[index]),
            uri=population.reports[report].uri,
            time_s=round(float(candidates.time_s[index]), 6),
            cluster=int(candidates.cluster[index]),
            weight=float(candidates.weight[index]),
            seconds=float(candidates.seconds[index]),
            groups={name: values[index] for name, values in groups.items()},
            size=int(candidates.size[index]),
            predicted={h: _predicted(h, values[index]) for h, values in candidates.groups.items()},
            answers={head: int(values[index]) for head, values in candidates.answers.items()},
            labels={head: int(values[index]) for head, values in candidates.labels.items()},
        )
        for index, report in enumerate(candidates.report.tolist())
    ]


def _predicted(head: str, group: int) -> int:
    return int(group) if group < len(network.GROUPS[head]) else faces.NOT_LABELLED


def _has_films(population: Population) -> bool:
    return int(population.film.max(initial=-1)) + 1 >= LEAST_FILMS


def _shares(population: Population) -> dict[str, list[PredictedShare]]:
    """Return head -> the share of each group over all faces."""
    cluster = population.film if _has_films(population) else np.arange(len(population.film))
    return {
        head: [_share(amounts, number, cluster) for number in range(amounts.shape[1])]
        for head, amounts in population.amounts.items()
    }


def _share(amounts: F64, number: int, cluster: I64) -> PredictedShare:
    if len(np.unique(cluster)) < 2:
        whole = amounts.sum()
        return PredictedShare(
            share=float(amounts[:, number].sum() / whole) if whole else 0.0, error=0.0
        )
    ones, stratum = np.ones(len(amounts)), np.zeros(len(amounts), np.int64)
    estimated = ratio.estimate(amounts[:, number], amounts.sum(axis=1), ones, stratum, cluster)
    return PredictedShare(share=estimated.value, error=estimated.error)
