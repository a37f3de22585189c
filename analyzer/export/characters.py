"""Table with one row per person: screen time, perceived sex and age; most screen time first."""

from pathlib import Path
from typing import ClassVar

from analyzer.export import _persons
from analyzer.files.columns import Column, write_csv
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "CharactersExporter":
    """Table with one row per person."""
    return CharactersExporter()


class CharactersExporter:
    """Writes the characters; see `analyzer.export.Table`."""

    suffix: ClassVar[str] = ".characters.csv"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; a medium without faces gives the header only."""
        write_csv(path, self.columns(report))

    def columns(self, report: MediaReport) -> list[Column]:
        """Return the columns of the file; see `analyzer.export.Table`."""
        return list(_persons.columns(report))
