"""Tables of the figures of attributes in a Markdown document, kept by the command."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.evaluation import marked_tables

PREFIX = "evaluate attributes --write: "
_FEWEST, _WORST = 20, 8
"""Faces that a cell of the worst must have, and how many of them are shown."""
_COLUMNS = {
    "sex_accuracy": "sex %",
    "sex_given": "sex given %",
    "sex_given_accuracy": "of these right %",
    "age_accuracy": "age bin %",
    "age_one_off": "one bin off %",
    "age_mae_years": "age MAE, years",
    "age_rmse_years": "age RMSE, years",
    "age_held": "in the 80 % interval",
    "age_width_years": "its width, years",
    "ethnicity_accuracy": "ethnicity %",
}
_SEX = ("sex_accuracy", "sex_given", "sex_given_accuracy")
_GROUPED = ("count", *_SEX, "age_accuracy", "age_mae_years", "age_held", "age_width_years")
_FLIPS = {"flips": "sex changed %", "flips_given": "of those given in both %"}
_TITLES = {
    "gaps": "Distance between the best and the worst ethnicity",
    "disturbances": "Light, cover and compression, at full size",
    "labels": "Labels as published, corrected and cleaned",
    "people": "People in videos, labelled by eye",
    "persons": "Each of them",
}
"""Tables that are shown beside those by size and group -> their titles."""
Table = tuple[Sequence[str], Iterator[list[str]]]


def write(path: Path, report: Mapping[str, Any]) -> None:
    """Write every table of a document for which the report has figures.

    Args:
        path: Markdown document with lines `<!-- table: evaluate attributes --write: NAME -->`.
        report: Of `analyzer.evaluation.attributes_run`, with `people` of
            `analyzer.evaluation.people_seen`.

    Raises:
        InputError: See `check`.
        ResourceError: The document cannot be written.
    """
    for name in check(path):
        _, table = _TABLES[name]
        if _is_there(name, report):
            columns, rows = table(report)
            marked_tables.write(path, PREFIX + name, columns, list(rows))


def beside_groups(
    report: Mapping[str, Any],
) -> Iterator[tuple[str, Sequence[str], list[list[str]]]]:
    """Yield title, columns and rows of the tables beside those by size and group."""
    for name, title in _TITLES.items():
        _, table = _TABLES[name]
        if _is_there(name, report):
            columns, rows = table(report)
            yield title, columns, list(rows)


def _is_there(name: str, report: Mapping[str, Any]) -> bool:
    """Return whether a report has the figures of a table; abstention needs a calibration."""
    part, _ = _TABLES[name]
    return part in report and (name != "abstention" or name in _full(report))


def check(path: Path) -> list[str]:
    """Return the names of the tables that a document has.

    Raises:
        InputError: The document is missing, or has none, or one that there is not, or one without
            its end.
    """
    names = [name.removeprefix(PREFIX) for name in marked_tables.names(path, PREFIX)]
    unknown = [name for name in names if name not in _TABLES]
    if unknown or not names:
        wanted = ", ".join(_TABLES)
        raise InputError(f"{path}: {unknown or 'no table'}: there are {PREFIX}{wanted}")
    for name in names:
        marked_tables.require(path, PREFIX + name)
    return names


def cell(name: str, figure: Mapping[str, float] | None) -> str:
    """Return a value with its interval: `92.1 (91.3 to 92.8)`."""
    if figure is None:
        return ""
    factor = 1 if name.endswith("years") else 100
    value, low, high = (factor * figure[end] for end in ("value", "low", "high"))
    return f"{value:.1f} ({low:.1f} to {high:.1f})"


def _row(first: str, row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    cells = [str(row[n]) if n == "count" else cell(n, row.get(n)) for n in names]
    return [first, *cells]


def _heads(first: str, names: Sequence[str]) -> list[str]:
    titles = {"count": "faces", **_COLUMNS, **_FLIPS}
    return [first, *(titles[name] for name in names)]


def _full(report: Mapping[str, Any]) -> Any:
    return next(iter(report["sizes"].values()))


def _sizes(report: Mapping[str, Any]) -> Table:
    names = tuple(_COLUMNS)
    rows = report["sizes"].items()
    return _heads("chip", names), (_row(f"{n} px", f["overall"], names) for n, f in rows)


def _groups(report: Mapping[str, Any]) -> Table:
    rows = (
        _row(f"{head} {name}" if head != "ages" else name, row, _GROUPED)
        for head, groups in _full(report)["groups"].items()
        for name, row in groups.items()
    )
    return _heads("group", _GROUPED), rows


def _gaps(report: Mapping[str, Any]) -> Table:
    titles = {"sex_accuracy": "all", "sex_given_accuracy": "those given"}
    columns = ("labels of sex", "points between best and worst", "best", "worst")
    found = ((title, _full(report)["gaps"].get(name)) for name, title in titles.items())
    return columns, ([t, cell("", gap), gap["best"], gap["worst"]] for t, gap in found if gap)


def _cells(report: Mapping[str, Any]) -> Table:
    enough = [one for one in _full(report)["cells"] if one["count"] >= _FEWEST]
    worst = sorted(enough, key=lambda one: one["sex_accuracy"]["value"])[:_WORST]
    names = ("count", "sex_accuracy")
    titles = ("{ethnicity} {sex} {age}".format(**one) for one in worst)
    return _heads("cell", names), (_row(t, c, names) for t, c in zip(titles, worst, strict=True))


def _abstention(report: Mapping[str, Any]) -> Table:
    sizes = report["sizes"]
    columns = ["asked", *(text for px in sizes for text in (f"kept, {px} px", "right"))]

    def row(steps: Sequence[Mapping[str, Any]]) -> list[str]:
        shares = [step[name] for step in steps for name in ("kept", "right")]
        texts = [f"{100 * share['value']:.1f}" if share else "" for share in shares]
        return [f"{100 * steps[0]['asked']:.1f} %", *texts]

    by_size = [figures["abstention"]["sex"] for figures in sizes.values()]
    return columns, map(row, zip(*by_size, strict=True))


def _disturbances(report: Mapping[str, Any]) -> Table:
    names = (*_SEX, "age_accuracy", "age_mae_years", "ethnicity_accuracy")
    columns = [*_heads("picture", ("count", *_FLIPS)), *_heads("", names)[1:], "sex of adults %"]
    rows = (
        [
            *(disturbance, str(figures["overall"]["count"])),
            *_row("", figures, tuple(_FLIPS))[1:],
            *_row("", figures["overall"], names)[1:],
            cell("", figures["adults"]["sex_accuracy"]),
        ]
        for disturbance, figures in report["disturbances"].items()
    )
    return columns, rows


def _labels(report: Mapping[str, Any]) -> Table:
    names = ("count", *_SEX)
    rows = (
        _row(f"{labels}: {name}", row, names)
        for labels, figures in report["labels"].items()
        for name, row in {"all": figures["overall"], **figures["ages"]}.items()
    )
    return _heads("labels", names), rows


def _people(report: Mapping[str, Any]) -> Table:
    columns = ("counted", "number", *(_COLUMNS[name] for name in _SEX), "age in the range %")
    rows = (
        [title, str(figures["count"]), *(cell(n, figures[n]) for n in (*_SEX, "age_within"))]
        for title, figures in report["people"]["figures"].items()
    )
    return columns, rows


def _persons(report: Mapping[str, Any]) -> Table:
    columns = ("video", "person", "faces", "looks", "sex", "ages", "age", "80 % interval")
    rows = (
        [
            *(one["video"], one["person"], f"{one['found']} of {one['labelled']}", one["sex"]),
            *(one["given"] or "none", f"{one['age_from']:g} to {one['age_to']:g}"),
            *(f"{one['years']:.0f}", f"{one['low']:.0f} to {one['high']:.0f}"),
        ]
        for one in report["people"]["persons"]
        if one["found"]
    )
    return columns, rows


_TABLES: Mapping[str, tuple[str, Callable[[Mapping[str, Any]], Table]]] = {
    "sizes": ("sizes", _sizes),
    "groups": ("sizes", _groups),
    "gaps": ("sizes", _gaps),
    "cells": ("sizes", _cells),
    "abstention": ("sizes", _abstention),
    "disturbances": ("disturbances", _disturbances),
    "labels": ("labels", _labels),
    "people": ("people", _people),
    "persons": ("people", _persons),
}
"""Name -> the part of a report that it needs, and what makes it."""
