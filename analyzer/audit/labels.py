"""Labels of raters, as the page writes them, and what two raters agree on."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analyzer.audit.audit_file import Audit
from analyzer.errors import InputError, UsageError
from analyzer.shares.answers import GROUPS
from ina_input import documents
from ina_input.tables import CsvTable, lack

FORMAT = "ina-audit-labels"
CANNOT_TELL, NO_FACE = "u", "x"
"""Labels beside the groups of a head."""
COLUMNS = ("audit", "rater", "face", "sex", "age")


@dataclass(frozen=True)
class RaterLabels:
    """What one rater says."""

    rater: str
    labels: Mapping[str, Mapping[int, str]]
    """Head -> number of the face -> label."""


@dataclass(frozen=True)
class Dispute:
    """A face that two raters see differently."""

    face: int
    head: str
    labels: Sequence[str]
    settled: str | None
    """Label of the third rater; `None` where the face is left out."""


@dataclass(frozen=True)
class HeadLabels:
    """The labels of one head."""

    agreed: Mapping[int, str]
    """Face -> label that counts."""
    pairs: Sequence[tuple[str, str]]
    """Labels of each face that both raters have labelled; none with one rater."""
    disputes: Sequence[Dispute]
    single: int
    """Faces that one of two raters has not labelled: they are left out."""


def allowed(head: str) -> tuple[str, ...]:
    """Return the labels of a head."""
    return (*GROUPS[head], CANNOT_TELL, NO_FACE)


def read(path: Path, audit: Audit) -> RaterLabels:
    """Read the labels of a rater.

    Args:
        path: File that the page has written, csv or json.
        audit: The audit that they belong to.

    Raises:
        InputError: The file cannot be read, or belongs to another audit.
    """
    try:
        rows = list(_of_json(path) if path.suffix.lower() == ".json" else _of_csv(path))
        labels: dict[str, dict[int, str]] = {head: {} for head in audit.heads}
        faces = {face.face for face in audit.faces}
        for row in rows:
            _require_own(row, audit)
            if row["rater"] != rows[0]["rater"]:
                raise ValueError(f"labels of {rows[0]['rater']} and of {row['rater']}: one a file")
            number = int(row["face"])
            if number not in faces:
                raise ValueError(f"face {number} is not in the audit, or is labelled twice")
            faces.remove(number)
            for head in audit.heads:
                if label := row.get(head):
                    if label not in allowed(head):
                        raise ValueError(f"face {number}: {head} {label!r} is no label")
                    labels[head][number] = label
    except (OSError, ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as labels: {documents.fault(error)}") from error
    if not rows:
        raise InputError(f"{path}: no labels: download them from the page again")
    return RaterLabels(str(rows[0]["rater"]), labels)


def _require_own(row: Mapping[str, Any], audit: Audit) -> None:
    if row["audit"] != audit.identifier:
        raise ValueError("these are labels of another audit, or the audit was drawn again")


def _of_csv(path: Path) -> Iterator[Mapping[str, Any]]:
    with CsvTable(path, strict=True) as table:
        if fault := lack(table.columns, COLUMNS):
            raise ValueError(fault)
        for _, row in table.rows():
            yield row


def _of_json(path: Path) -> Iterator[Mapping[str, Any]]:
    document = documents.read(path)
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}")
    for label in document["labels"]:
        yield {"audit": document["audit"], "rater": document["rater"], **label}


def combined(raters: Sequence[RaterLabels], third: RaterLabels | None, head: str) -> HeadLabels:
    """Return what one rater says, or what two agree on, or a third one settles.

    Args:
        raters: One or two.
        third: Who settles what two do not agree on.
        head: `sex` or `age`.

    Raises:
        UsageError: There are more raters, two of one name, or a third one without two.
    """
    if len(raters) > 2:
        raise UsageError("labels of one or two raters; a third one settles: give --settle")
    if third is not None and len(raters) < 2:
        raise UsageError("--settle settles what two raters do not agree on: give labels of two")
    names = [rater.rater for rater in [*raters, *([third] if third else [])]]
    if len(set(names)) < len(names):
        raise UsageError(f"two files of one rater, {names[0]}: give labels of another")
    if len(raters) == 1:
        return HeadLabels(raters[0].labels[head], (), (), 0)
    first, second = (rater.labels[head] for rater in raters)
    both = sorted(first.keys() & second.keys())
    settles = third.labels[head] if third else {}
    disputes = [
        Dispute(face, head, (first[face], second[face]), settles.get(face))
        for face in both
        if first[face] != second[face]
    ]
    agreed = {face: first[face] for face in both if first[face] == second[face]}
    agreed |= {d.face: d.settled for d in disputes if d.settled is not None}
    pairs = [(first[face], second[face]) for face in both]
    return HeadLabels(agreed, pairs, disputes, len(first.keys() ^ second.keys()))
