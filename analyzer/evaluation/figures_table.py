"""Table of the figures of clusterers in a Markdown document, kept by the command."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from analyzer.evaluation import marked_tables

NAME = "evaluate clustering --write"
BEGIN, END = marked_tables.begin(NAME), marked_tables.END
COLUMNS = (
    *("set", "analysed at", "clusterer", "faces", "persons", "clusters", "all faces F1"),
    *("pairs P", "R", "F1", "B-cubed F1", "NMI"),
)
_FIGURES_AT = COLUMNS.index("faces")


def rows(report: Mapping[str, Any]) -> list[list[str]]:
    """Return the cells of each row; clusterers with the same figures share one.

    Args:
        report: Figures of `measure_sets`.
    """
    table: list[list[str]] = []
    for run in report["runs"]:
        threshold = "" if run["threshold"] == report["threshold"] else f" {run['threshold']:g}"
        row = [run["set"], run["condition"], f"`{run['clusterer']}`{threshold}", *_figures(run)]
        alike = [one for one in table if _without_clusterer(one) == _without_clusterer(row)]
        if alike:
            alike[0][2] += f", {row[2]}"
        else:
            table.append(row)
    return table


def _without_clusterer(row: list[str]) -> list[str]:
    return [*row[:2], *row[_FIGURES_AT:]]


def _figures(run: Mapping[str, Any]) -> list[str]:
    scores = (run["all"]["pairs"]["f1"], *run["pairs"].values(), run["bcubed"]["f1"], run["nmi"])
    return [
        f"{run['grouped']} of {run['labelled']}",
        str(run["all"]["persons"]),
        str(run["clusters"]),
        *(f"{score:.3f}" for score in scores),
    ]


def read(path: Path) -> list[list[str]]:
    """Return the cells of each row that the document has.

    Raises:
        InputError: The document is missing, or has no such table.
    """
    return marked_tables.read(path, NAME)


def write(path: Path, report: Mapping[str, Any]) -> None:
    """Put the rows of the measured sets into a document; those of other sets stay.

    Args:
        path: Markdown document with the lines `BEGIN` and `END`.
        report: Figures of `measure_sets`.

    Raises:
        InputError: The document is missing, or has no such lines.
        ResourceError: The document cannot be written.
    """
    measured = rows(report)
    names = list(dict.fromkeys(row[0] for row in measured))
    table: list[list[str]] = []
    for row in read(path):
        if row[0] not in names:
            table.append(row)
        elif row[0] not in [done[0] for done in table]:
            table += [one for one in measured if one[0] == row[0]]
    there = {row[0] for row in table}
    table += [row for row in measured if row[0] not in there]
    marked_tables.write(path, NAME, COLUMNS, table)
