"""Find rows of a joblist that would overwrite each other's files, in constant memory."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from types import TracebackType

from jobs.model import JobSpec

TABLES = """
PRAGMA cache_size = -16000;
CREATE TABLE dest(path BLOB PRIMARY KEY, line INTEGER, row BLOB, name TEXT) WITHOUT ROWID;
CREATE TABLE source(path BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID;
CREATE TABLE clash(line INTEGER, other INTEGER, name TEXT);
BEGIN;
"""


class Clashes:
    """Collects destinations and sources; a context manager.

    Rows that are equal count once. Paths are compared with symbolic links resolved.
    """

    def __init__(self) -> None:
        # An unnamed database is kept in a temporary file, which a million paths need.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(TABLES)

    def __enter__(self) -> Clashes:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the temporary file."""
        self._db.close()

    def add(self, spec: JobSpec) -> None:
        """Take a row into account."""
        row = _digest(json.dumps(spec.to_dict(), sort_keys=True))
        for name, dest in spec.dests.items():
            self._add_dest(_digest(_real(dest)), spec.line, row, f"dest_{name}")
        for path in filter(None, (spec.source_path, spec.poster_path)):
            self._db.execute(
                "INSERT OR IGNORE INTO source VALUES(?, ?)",
                (
                    _digest(os.path.realpath(path) if os.path.islink(path) else _real(path)),
                    spec.line,
                ),
            )

    def _add_dest(self, path: bytes, line: int, row: bytes, name: str) -> None:
        added = self._db.execute(
            "INSERT OR IGNORE INTO dest VALUES(?, ?, ?, ?)", (path, line, row, name)
        ).rowcount
        if added:
            return
        found = self._db.execute(
            "SELECT line, row, name FROM dest WHERE path = ?", (path,)
        ).fetchone()
        if found[0] == line or found[1] != row:
            self._db.execute("INSERT INTO clash VALUES(?, ?, ?)", (line, found[0], name))

    def found(self) -> Iterator[tuple[int, str]]:
        """Yield line and text of each problem."""
        for line, other, name in self._db.execute("SELECT line, other, name FROM clash"):
            yield line, f"{name} is the same file as a destination of line {other}: change one"
        for line, other, name in self._db.execute(
            "SELECT dest.line, source.line, name FROM dest JOIN source USING(path)"
        ):
            yield line, f"{name} would overwrite the medium of line {other}: change it"


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _real(path: str) -> str:
    """Return the path with the links of its folder resolved, as a rename sees it."""
    folder, name = os.path.split(path)
    return os.path.join(_real_folder(folder), name)


@lru_cache(maxsize=4096)
def _real_folder(folder: str) -> str:
    return os.path.realpath(folder)
