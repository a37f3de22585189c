"""Joblists as CSV files, held against the bounds of the server."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from joblist import reader
from joblist.clashes import Reserved, real_folder
from joblist.model import JobSpec, Rows
from jobs.inputs import bounds as limits
from jobs.types import Bounds


def read(
    path: Path | str,
    *,
    exporters: Collection[str],
    bounds: Bounds | None = None,
    rows: Rows | None = None,
    reserved: Reserved | None = None,
) -> Iterator[JobSpec]:
    """Yield the right rows of a joblist one at a time; see `joblist.reader.read`.

    Args:
        path: Path of the joblist.
        exporters: Names that a `dest_` column may have.
        bounds: What the rows may read and write.
        rows: Which are wanted; by default all.
        reserved: Files that no destination may be, beside the joblist.

    Raises:
        JoblistError: After the last row; with every problem of the file, its line and its cure.
    """
    within = bounds or Bounds()
    return reader.read(
        path,
        exporters=exporters,
        faults=lambda spec: limits.faults(spec, within, real_folder=real_folder),
        rows=rows,
        reserved=reserved,
    )
