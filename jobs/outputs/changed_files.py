"""Table of outputs that were changed on purpose after publishing."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ina_input.tables import CsvRows
from joblist.errors import UsageError
from jobs.outputs.digests import file_sha256
from jobs.types import Manifest, PartFile

HEADER = ["path", "sha256_before", "sha256_after"]


@dataclass
class Change:
    """What one file was and is; it may have been changed several times."""

    before: set[str]
    """SHA-256 of each earlier state, in hexadecimal."""
    after: str


def read(table: Path) -> Mapping[str, Change]:
    """Return the changes by the absolute path of the file.

    Raises:
        UsageError: No such table, or another one.
    """
    changes: dict[str, Change] = {}
    try:
        with CsvRows(table, strict=True, encoding="utf-8", errors="surrogateescape") as rows:
            if next(rows, None) != HEADER:
                raise UsageError(f"{table}: not a table of changes: give the one forget has named")
            for path, before, after in rows:
                change = changes.setdefault(path, Change(set(), after))
                change.before.add(before)
                change.after = after
    except (OSError, csv.Error, ValueError) as error:
        raise UsageError(f"{table}: cannot be read ({error}): check the path") from error
    return changes


def wrong(changes: Mapping[str, Change]) -> set[str]:
    """Return which files are not as their last change left them."""
    return {path for path, change in changes.items() if not _is_there(Path(path), change.after)}


def applied(manifest: Manifest, changes: Mapping[str, Change]) -> Manifest:
    """Return a manifest with its files as they are after the changes; equal where none is of it."""
    files = {name: _applied(file, changes) for name, file in manifest.files.items()}
    return replace(manifest, files=files)


def _applied(file: PartFile, changes: Mapping[str, Change]) -> PartFile:
    change = changes.get(file.path)
    if change is None or file.sha256 not in change.before:
        return file
    return replace(file, sha256=change.after, size=Path(file.path).stat().st_size)


def _is_there(path: Path, sha256: str) -> bool:
    return path.is_file() and file_sha256(path) == sha256
