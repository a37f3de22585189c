"""Stage: a report becomes a file. An exporter reads the report and nothing else."""

from pathlib import Path
from typing import ClassVar, Protocol

from analyzer.files.columns import Column
from analyzer.types import MediaReport, ProgressHook


class Exporter(Protocol):
    """Writes one format."""

    suffix: ClassVar[str]
    """How its files end, such as `.characters.csv`."""

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the report to `path`, whatever its name ends in.

        Raises:
            ResourceError: The file cannot be written.
        """
        ...


class Table(Exporter, Protocol):
    """Writes a format of rows and typed columns."""

    def columns(self, report: MediaReport) -> list[Column]:
        """Return the columns of the file, in its order, with as many values as it has rows."""
        ...
