"""Plug-ins: exporters, each of which writes one format.

In: a `MediaReport`; formats with pictures read its medium again. Out: a file.
Used by workflows, results and the worker; plug-ins are loaded through the registry.
"""

from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from analyzer.files.columns import Column
from analyzer.types import MediaReport, ProgressHook


class Exporter(Protocol):
    """Writer of one format."""

    suffix: ClassVar[str]
    """End of its file names, such as `.characters.csv`."""

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write a report to a file, whatever the file's name ends in.

        Args:
            report: Report of the medium.
            path: Path of the file. A worker gives a link to a file that is open already; the folder
                in which it will stand is `joblist.beneath.final_folder(path)`.
            progress: Hook that is called while the file is written, if that takes a while.

        Raises:
            ResourceError: The file cannot be written.
        """
        ...


@runtime_checkable
class KeepsOptions(Exporter, Protocol):
    """Writer of a format that tells the options of a file, with which it can be made again."""

    def spec_of(self, path: Path) -> str:
        """Return the spec of the exporter that wrote a file, such as `crops:all=true`.

        Args:
            path: Path of the file.
        """
        ...


class Table(Exporter, Protocol):
    """Writer of a format of rows and typed columns."""

    def columns(self, report: MediaReport) -> list[Column]:
        """Return the columns of the file, in its order, each with a value per row."""
        ...
