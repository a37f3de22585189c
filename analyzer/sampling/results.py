"""What the results of segments tell: seconds of each group, of faces or of persons."""

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.shares.answers import GROUPS
from analyzer.shares.tables import OwnTables
from ina_input import documents
from ina_input.tables import CsvTable

SOURCES = ("json", "parquet", "csv")
"""Exports that are read, the best first; the csv knows samples, not seconds, and no persons."""
AGES = (10.0, 20.0, 40.0, 60.0)
"""Ages at which a group begins."""
UNLABELLED = ""
Amounts = dict[str, float]


class AmountReader:
    """Reads results of segments.

    Args:
        head: Attribute, such as `sex`.
        over: `faces`, for the time of each face, or `persons`, for that of each person.
        ages: Ages at which a group begins, in rising order.
        own: Tables of an audit, of the networks that made the results.
    """

    def __init__(
        self, head: str, over: str, ages: Sequence[float] = AGES, own: OwnTables | None = None
    ) -> None:
        self._head, self._over, self._ages, self._own = head, over, ages, own

    def amounts(self, dests: Mapping[str, str]) -> Amounts | None:
        """Return the amount of each group in a segment; `None` where there are no results yet.

        Args:
            dests: Export -> file.

        Raises:
            UsageError: The exports are none that tell it, or a file is damaged.
        """
        known = [name for name in SOURCES if dests.get(name)]
        if self._over == "persons":
            known = [name for name in known if name != "csv"]
        if not known:
            raise UsageError(
                f"no dest_json, dest_parquet{' or dest_csv' * (self._over == 'faces')}: the "
                f"joblist needs one of them to tell the time of {self._over}"
            )
        path = dests[known[0]]
        if not os.path.exists(path):
            return None
        try:
            totals: Amounts = {}
            for label, amount in self._read(known[0], path):
                group = self._group(label)
                totals[group] = totals.get(group, 0.0) + amount
            return totals
        except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
            raise UsageError(
                f"{path}: no results that can be read ({error}): remove it, and serve the joblist "
                "again"
            ) from error

    def _read(self, kind: str, path: str) -> Iterator[tuple[str | None, float]]:
        """Yield label and amount of each face or person."""
        if kind == "csv":
            return self._of_table(path)
        if kind == "parquet":
            text = registry.module("formats", "parquet").read_metadata(path, "ina")
            return self._of_document(documents.parse(text))
        return self._of_document(documents.read(path))

    def _of_document(self, document: Mapping[str, Any]) -> Iterator[tuple[str | None, float]]:
        if self._own is not None:
            self._own.require_models(document["models"])
        if self._over == "persons":
            for person in document["persons"]:
                label = person["attributes"].get(self._head, {}).get("label")
                yield label, float(person["screen_time_s"] or 0.0)
            return
        for track in document["tracks"]:
            length_s = sum(end - start for start, end in track["intervals_s"])
            yield track["labels"].get(self._head), float(length_s)

    def _of_table(self, path: str) -> Iterator[tuple[str | None, float]]:
        with CsvTable(path) as table:
            name = next(
                (
                    n
                    for n in (f"{self._head}_label_avg", f"{self._head}_label")
                    if n in table.columns
                ),
                None,
            )
            if name is None:
                raise UsageError(
                    f"{path}: no column {self._head}_label: analyse with --attributes {self._head}"
                )
            for _, row in table.rows():
                yield row[name], 1.0

    def _group(self, label: str | None) -> str:
        """Return the group of a label."""
        if not label:
            return UNLABELLED
        if self._head != "age":
            return label
        years = float(label)
        return group_names("age", self._ages)[sum(years >= age for age in self._ages)]


def group_names(head: str, ages: Sequence[float]) -> Sequence[str]:
    """Return the groups of a head, in order.

    Args:
        head: Attribute, such as `sex`.
        ages: Ages at which a group begins, in rising order.
    """
    if head != "age":
        return GROUPS[head]
    bounds = [0.0, *ages]
    closed = [f"{low:g}-{high - 1:g}" for low, high in zip(bounds, ages, strict=False)]
    return [*closed, f"{bounds[-1]:g}+"]
