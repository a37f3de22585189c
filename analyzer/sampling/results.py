"""What the results of segments tell: seconds of each group, of faces or of persons.

Every face counts by its own label, as in `shares`: that of its track depends on what is seen of the
track, and in a long shot a segment sees less of it than the whole medium.
"""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.shares import tables
from analyzer.shares.amounts import FACE_TIME
from analyzer.shares.answers import GROUPS, SIZES_PX, count
from analyzer.shares.tables import OwnTables
from analyzer.types import F64
from ina_input import documents
from ina_input.tables import CsvTable

SOURCES = ("json", "parquet", "csv")
"""Exports that are read, the best first; the csv knows samples, not seconds, and no persons."""
AGES = (10.0, 20.0, 40.0, 60.0)
"""Ages at which a group begins."""
UNLABELLED = ""
Amounts = dict[str, float]


@dataclass(frozen=True)
class Result:
    """What the results of a segment tell of an attribute."""

    amounts: Amounts
    """Group -> its amount."""
    answers: F64 | None = None
    """(S, K) seconds of the network's answers; `None` where the file does not have them."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Name -> SHA-256 of the networks."""
    sex_given_from: float = 0.0
    """As of `analyzer.shares.amounts`."""


def own_tables(path: Path, head: str, over: str, ages: Sequence[float]) -> OwnTables:
    """Read the tables of an audit for shares of an attribute.

    Args:
        path: What `audit report --write` has written.
        head: Attribute.
        over: `faces` or `persons`.
        ages: Ages at which a group begins.

    Raises:
        InputError: The file cannot be read.
        UsageError: The tables say nothing of what is asked for.
    """
    if over != "faces":
        raise UsageError("--confusion is about faces: leave out --over persons")
    if head == "age" and tuple(ages) != AGES:
        raise UsageError("--confusion has the age groups of the audit: leave out --ages")
    own = tables.own(path)
    if head not in own.counts:
        heads = ", ".join(own.counts) or "no attribute"
        raise UsageError(f"{path}: has no table of {head}, but of {heads}: audit more faces")
    return own


class AmountReader:
    """Reads results of segments.

    Args:
        head: Attribute, such as `sex`.
        over: `faces`, for the time of each face, or `persons`, for that of each person.
        ages: Ages at which a group begins, in rising order.
        own: Tables of an audit, for those that are shipped.
    """

    def __init__(
        self, head: str, over: str, ages: Sequence[float] = AGES, own: OwnTables | None = None
    ) -> None:
        self.head, self._over, self._ages = head, over, tuple(ages)
        self.own = own
        self._models: Mapping[str, str] = {}

    @property
    def groups(self) -> list[str]:
        """The attribute's groups in the order of a table of what is confused.

        There are none where that table has other groups, or knows nothing of the measure.
        """
        if self._over == "persons" or self.head not in GROUPS:
            return []
        if self.head != "age":
            return list(GROUPS[self.head])
        return [self._group(str(age)) for age in (0.0, *AGES)] if self._ages == AGES else []

    def result(self, dests: Mapping[str, str]) -> Result | None:
        """Return what the results of a segment tell; `None` where there are none yet.

        Args:
            dests: Export -> file.

        Raises:
            UsageError: The exports are none that tell it, or a file is damaged.
        """
        readable = [name for name in SOURCES if dests.get(name)]
        if self._over == "persons":
            readable = [name for name in readable if name != "csv"]
        if not readable:
            raise UsageError(
                f"no dest_json, dest_parquet{' or dest_csv' * (self._over == 'faces')}: the "
                f"joblist needs one of them to tell the time of {self._over}"
            )
        path = dests[readable[0]]
        if not os.path.exists(path):
            return None
        try:
            if readable[0] == "csv":
                return Result(self._by_group(self._of_table(path)))
            document = _document(readable[0], path)
            if self.groups and "shares" in document:
                totals = self._by_face(document)
            else:
                totals = self._by_group(self._of_document(document))
            return self._with_answers(totals, document)
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise UsageError(
                f"{path}: no results that can be read ({documents.fault(error)}): remove it, and "
                "serve the joblist again"
            ) from error

    def _by_group(self, labelled: Iterator[tuple[str | None, float]]) -> Amounts:
        """Return the sums of labels and amounts."""
        totals: Amounts = {}
        for label, amount in labelled:
            group = self._group(label)
            totals[group] = totals.get(group, 0.0) + amount
        return totals

    def _by_face(self, document: Mapping[str, Any]) -> Amounts:
        """Return the seconds of faces by the label of each face."""
        names = dict(zip(GROUPS[self.head], self.groups, strict=True))
        totals = {
            names[row["group"]]: float(row["amount"] * row["observed"])
            for row in document["shares"]
            if (row["measure"], row["attribute"]) == (FACE_TIME, self.head)
            and row["group"] in names
        }
        seen_s = sum(length_s for _, length_s in self._of_document(document))
        unlabelled_s = round(seen_s - sum(totals.values()), 2)
        return {**totals, UNLABELLED: unlabelled_s} if unlabelled_s > 0 else totals

    def _with_answers(self, totals: Amounts, document: Mapping[str, Any]) -> Result:
        """Return amounts with the time of the answers, which files of older versions lack."""
        answers = document.get("answers_s", {}).get(self.head) if self.groups else None
        if answers is None:
            return Result(totals)
        seconds = np.array(answers, np.float64)
        if seconds.shape != (len(SIZES_PX), count(self.head)) or not (seconds >= 0).all():
            raise ValueError(f"answers_s of {self.head} has another form")
        models = document.get("models", {})
        if models != self._models:
            self._models = dict(models)
        # One mapping for all files that are alike: there may be a million.
        given_from = document.get("options", {}).get("min_sex_age", 0.0)
        age = float(given_from) if "age" in document["answers_s"] else 0.0
        return Result(totals, seconds, self._models, age)

    def _of_document(self, document: Mapping[str, Any]) -> Iterator[tuple[str | None, float]]:
        """Yield label and amount of each track or person."""
        if self._over == "persons":
            for person in document["persons"]:
                label = person["attributes"].get(self.head, {}).get("label")
                yield label, float(person["screen_time_s"] or 0.0)
            return
        for track in document["tracks"]:
            length_s = sum(end - start for start, end in track["intervals_s"])
            yield track["labels"].get(self.head), float(length_s)

    def _of_table(self, path: str) -> Iterator[tuple[str | None, float]]:
        with CsvTable(path) as table:
            name = next(
                (n for n in (f"{self.head}_label", f"{self.head}_label_avg") if n in table.columns),
                None,
            )
            if name is None:
                raise UsageError(
                    f"{path}: no column {self.head}_label: analyse with --attributes {self.head}"
                )
            for _, row in table.rows():
                yield row[name], 1.0

    def _group(self, label: str | None) -> str:
        """Return the group of a label."""
        if not label:
            return UNLABELLED
        if self.head != "age":
            return label
        years = float(label)
        bounds = [0.0, *self._ages]
        number = sum(years >= age for age in self._ages)
        if number == len(self._ages):
            return f"{bounds[-1]:g}+"
        return f"{bounds[number]:g}-{bounds[number + 1] - 1:g}"


def _document(kind: str, path: str) -> Any:
    """Read the JSON of a report."""
    if kind == "parquet":
        return documents.parse(registry.module("formats", "parquet").read_metadata(path, "ina"))
    return documents.read(path)
