"""Table with one row per face and sampled frame; the first columns are inaFaceAnalyzer's."""

from pathlib import Path
from typing import ClassVar

from analyzer.export import _faces
from analyzer.files.columns import Column, write_csv
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "CsvExporter":
    """Table with one row per face and sampled frame."""
    return CsvExporter()


class CsvExporter:
    """Writes the main table; see `analyzer.export.Table`."""

    suffix: ClassVar[str] = ".csv"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; a medium without faces gives the header only."""
        write_csv(path, self.columns(report))

    def columns(self, report: MediaReport) -> list[Column]:
        """Return the columns of the file; see `analyzer.export.Table`."""
        return list(_faces.columns(report))
