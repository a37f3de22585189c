"""Find rows of a joblist that would overwrite each other's files, in constant memory."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from types import TracebackType

from joblist.model import JobSpec

# Paths are appended, and sorted once at the end: an index on them, in which they come in no
# order, would be read and written all over for each row.
TABLES = """
PRAGMA cache_size = -16000;
CREATE TABLE entry(path BLOB, is_source INTEGER, line INTEGER, row BLOB, name TEXT);
BEGIN;
"""
ADD = "INSERT INTO entry VALUES(?, ?, ?, ?, ?)"
SHARED = """
SELECT path, is_source, line, row, name FROM entry WHERE path IN (
  SELECT path FROM entry GROUP BY path HAVING COUNT(*) > 1 AND NOT MIN(is_source))
ORDER BY path, is_source, line, rowid"""
Entry = tuple[bytes, bool, int, bytes, str]


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
        self._db.executemany(ADD, _entries(spec))

    def found(self) -> Iterator[tuple[int, str]]:
        """Yield line and text of each problem."""
        for _, entries in groupby(self._db.execute(SHARED), key=itemgetter(0)):
            (_, _, first, row, name), *others = entries
            for _, is_source, line, other, column in others:
                if is_source:
                    yield first, f"{name} would overwrite the medium of line {line}: change it"
                    break
                if line == first or other != row:
                    text = f"is the same file as a destination of line {first}: change one"
                    yield line, f"{column} {text}"


def _entries(spec: JobSpec) -> Iterator[Entry]:
    row = _digest(repr(spec.to_dict()))
    for name, dest in spec.dests.items():
        yield _digest(_real(dest)), False, spec.line, row, f"dest_{name}"
    for path in filter(None, (spec.source_path, spec.poster_path)):
        real = os.path.realpath(path) if os.path.islink(path) else _real(path)
        yield _digest(real), True, spec.line, b"", ""


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _real(path: str) -> str:
    """Return the path with the links of its folder resolved, as a rename sees it."""
    folder, _, name = path.rpartition("/")
    return f"{real_folder(folder or '/')}/{name}"


@lru_cache(maxsize=4096)
def real_folder(folder: str) -> str:
    """Resolve the links of a folder; asked again, it does not look again."""
    return os.path.realpath(folder)
