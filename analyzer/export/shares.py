"""Shares of screen time and of persons by perceived sex, age and ethnicity, a row per group."""

from pathlib import Path
from typing import ClassVar

from analyzer.files.columns import Column, write_csv
from analyzer.inference.runtime import Runtime
from analyzer.shares.columns import columns
from analyzer.shares.measure import shares
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "SharesExporter":
    """Shares by sex, age group and ethnicity, observed and corrected, with 95 % intervals."""
    return SharesExporter()


class SharesExporter:
    """Writes the shares; see `analyzer.export.Table`."""

    suffix: ClassVar[str] = ".shares.csv"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; a medium without faces gives the header only."""
        write_csv(path, self.columns(report))

    def columns(self, report: MediaReport) -> list[Column]:
        """Return the columns of the file; see `analyzer.export.Table`."""
        return columns(list(shares(report)))
