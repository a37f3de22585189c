"""Shares of screen time and of persons by perceived sex, age and ethnicity, a row per group."""

import csv
from pathlib import Path
from typing import ClassVar

from analyzer.files.columns import Column, write_csv
from analyzer.inference.runtime import Runtime
from analyzer.shares import tables
from analyzer.shares.amounts import sex_given_from
from analyzer.shares.columns import columns
from analyzer.shares.measure import shares
from analyzer.shares.tables import OwnTables
from analyzer.types import MediaReport, ProgressHook
from ina_input.tables import CsvTable


def create(*, confusion: str = "", runtime: Runtime) -> "SharesExporter":
    """Shares by sex, age group and ethnicity, with 95 % intervals; confusion: a file of an audit.

    Args:
        confusion: File that `audit report --write` has written, for the table that is shipped.
        runtime: Of no meaning here.
    """
    return SharesExporter(tables.own(Path(confusion).absolute()) if confusion else None)


class SharesExporter:
    """Writes the shares; see `analyzer.export.Table` and `analyzer.export.KeepsOptions`.

    Args:
        own: An archive's own tables of what the network confuses.
    """

    suffix: ClassVar[str] = ".shares.csv"

    def __init__(self, own: OwnTables | None = None) -> None:
        self._own = own

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; a medium without faces gives the header only."""
        write_csv(path, self.columns(report))

    def spec_of(self, path: Path) -> str:
        """Return the spec of the exporter that wrote a file; without options if it tells none."""
        try:
            with CsvTable(path) as table:
                name = next((row.get("confusion", "") for _, row in table.rows()), "")
        except (OSError, ValueError, csv.Error):
            return "shares"
        return f"shares:confusion={name}" if name and "," not in name else "shares"

    def columns(self, report: MediaReport) -> list[Column]:
        """Return the columns of the file; see `analyzer.export.Table`."""
        own = self._own
        models, age = report.provenance.get("models", {}), sex_given_from(report)
        rows = list(shares(report, tables.tables_of(models, own, sex_given_from=age)))
        named = None if own is None else str(own.path)
        return [*columns(rows), Column("confusion", "text", [named] * len(rows))]
