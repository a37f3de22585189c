"""Table of the figures of clusterers in a Markdown document, kept by the command."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from analyzer.errors import InputError
from analyzer.files.atomic import atomic_write

BEGIN = "<!-- table: evaluate clustering --write -->"
END = "<!-- end of table -->"
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
    _, lines, _ = _parts(path)
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in lines[2:]]


def write(path: Path, report: Mapping[str, Any]) -> None:
    """Put the rows of the measured sets into a document; those of other sets stay.

    Args:
        path: Markdown document with the lines `BEGIN` and `END`.
        report: Figures of `measure_sets`.

    Raises:
        InputError: The document is missing, or has no such lines.
        ResourceError: The document cannot be written.
    """
    before, _, after = _parts(path)
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
    lines = [_line(COLUMNS), _line(["---"] * len(COLUMNS)), *map(_line, table)]
    with atomic_write(path) as part:
        part.write_text("\n".join([*before, *lines, *after]) + "\n", encoding="utf-8")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _parts(path: Path) -> tuple[list[str], list[str], list[str]]:
    """Return the lines up to the table, those of the table, and those behind it."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the path of the document") from error
    if BEGIN not in lines or END not in lines[lines.index(BEGIN) :]:
        raise InputError(f"{path}: no place for the table; put a line {BEGIN} and a line {END}")
    begin, end = lines.index(BEGIN) + 1, lines.index(END)
    return lines[:begin], [line for line in lines[begin:end] if line], lines[end:]
