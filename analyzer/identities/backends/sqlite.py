"""SQLite: a file on a local disk, shared by the processes of one machine."""

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from analyzer.errors import ResourceError, UsageError
from analyzer.identities._store import MirroredStore
from analyzer.identities.records import (
    Changes,
    Commit,
    Counters,
    Settings,
    StoredIdentity,
    damage_named,
)
from analyzer.types import I64
from ina_input import documents

_APPLICATION = 0x494E4149
"""Marks the file as ours: no other program's tables are written to."""
_VERSION = 1
_PAGE = 4096

# The rollback journal is kept: unlike the write-ahead log it harms nothing on a network disk,
# should a user put the file there, as long as locks work.
_TABLES = f"""
BEGIN IMMEDIATE;
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_VERSION};
CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identity(
  id INTEGER PRIMARY KEY,
  centroid BLOB NOT NULL,            -- little-endian float32; empty where it was forgotten
  updates INTEGER NOT NULL,
  faces INTEGER NOT NULL,
  changed INTEGER NOT NULL UNIQUE    -- version of the store
);
CREATE TABLE IF NOT EXISTS call(key TEXT PRIMARY KEY, ids BLOB NOT NULL) WITHOUT ROWID;
COMMIT;
"""


def create(
    *, path: str, settings: Settings | None, wait_s: float, on_wait: Callable[[], object]
) -> MirroredStore:
    """A file; its folder is made, and it is made where settings are given."""
    records = _SqliteRecords(Path(path), settings is not None, wait_s)
    return MirroredStore(records, path, settings, on_wait)


class _SqliteRecords:
    """Rows in a file; see `analyzer.identities.Records`."""

    def __init__(self, path: Path, may_make: bool, wait_s: float) -> None:
        self._path = path
        if may_make:
            _make_folder(path.parent)
        elif not path.exists():
            raise UsageError(f"{path}: no such identity store")
        if path.exists() and not path.is_file():
            raise UsageError(f"{path}: not a regular file: give another one")
        with self._mapped():
            # Transactions are begun by hand: a reader never becomes a writer, which could deadlock.
            self._db = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
        try:
            self._prepare(may_make)
        except BaseException:
            self._db.close()
            raise

    def _prepare(self, may_make: bool) -> None:
        with self._mapped():
            # What is forgotten is overwritten, not only unlinked.
            self._db.execute("PRAGMA secure_delete = ON")
            is_new = not self._db.execute("SELECT 1 FROM sqlite_master").fetchone()
            if is_new and may_make:
                # Another process may make the tables at the same time.
                self._db.executescript(_TABLES)
            stored = tuple(
                self._db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version")
            )
        if stored != (_APPLICATION, _VERSION):
            raise UsageError(
                f"{self._path} is not an identity store of this version: give another file"
            )
        with self._mapped():
            low, high, count = self._db.execute(
                "SELECT MIN(id), MAX(id), COUNT(*) FROM identity"
            ).fetchone()
        if count and not (low >= 0 and high < count):
            raise UsageError(f"{self._path}: identities up to {high}, and {count} of them: damaged")

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        """Say what to do about SQLite's errors."""
        try:
            yield
        except sqlite3.OperationalError as error:
            raise ResourceError(
                f"{self._path}: {error}; see that its disk has room and its folder may be written"
            ) from error
        except sqlite3.DatabaseError as error:
            raise UsageError(
                f"{self._path} is not an identity store ({error}): give another file"
            ) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Do all of it or nothing, alone."""
        with self._mapped():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            finally:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")

    def _meta(self, name: str) -> int:
        row = self._db.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return row[0] if row else 0

    def _add(self, **amounts: int) -> None:
        """Add to numbers that begin at 0."""
        self._db.executemany(
            "INSERT INTO meta VALUES(?, ?) "
            "ON CONFLICT(name) DO UPDATE SET value = value + excluded.value",
            amounts.items(),
        )

    def settings(self, requested: Settings | None) -> Settings:
        """Return the store's settings; see `analyzer.identities.Records`."""
        with self._transaction() as db:
            if requested:
                text = json.dumps(asdict(requested))
                db.execute("INSERT OR IGNORE INTO meta VALUES('settings', ?)", (text,))
            row = db.execute("SELECT value FROM meta WHERE name = 'settings'").fetchone()
        if row is None:
            raise UsageError(f"{self._path}: no such identity store")
        with damage_named(str(self._path)):
            return Settings(**documents.parse(row[0]))

    def changes(self, version: int) -> Changes:
        """Return what changed after a version; see `analyzer.identities.Records`."""
        with self._mapped():
            # The newest change and those wanted, in one statement: they are of one moment.
            rows = self._db.execute(
                "SELECT id, centroid, updates, changed, (SELECT MAX(changed) FROM identity) "
                f"FROM identity WHERE changed > ? ORDER BY changed LIMIT {_PAGE}",
                (version,),
            ).fetchall()
        with damage_named(str(self._path)):
            return Changes(
                version=rows[-1][3] if rows else version,
                newest=rows[-1][4] if rows else version,
                ids=np.array([row[0] for row in rows], np.int64),
                centroids=tuple(row[1] for row in rows),
                updates=np.array([row[2] for row in rows], np.int64),
            )

    def commit(self, commit: Commit) -> I64 | None:
        """Write it, if the store still has its version; see `analyzer.identities.Records`."""
        with self._transaction() as db:
            earlier = db.execute("SELECT ids FROM call WHERE key = ?", (commit.key,)).fetchone()
            if earlier:
                with damage_named(str(self._path)):
                    return np.frombuffer(earlier[0], "<i8").astype(np.int64)
            if self._meta("version") != commit.version:
                return None
            self._write(commit)
        return commit.ids

    def _write(self, commit: Commit) -> None:
        new = int((commit.moved >= self.size()).sum())
        versions = range(commit.version + 1, commit.version + 1 + len(commit.moved))
        packed = (centroid.astype("<f4").tobytes() for centroid in commit.centroids)
        self._db.executemany(
            "INSERT INTO identity VALUES(?, ?, ?, 0, ?) ON CONFLICT(id) DO UPDATE SET "
            "centroid = excluded.centroid, updates = excluded.updates, changed = excluded.changed",
            zip(commit.moved.tolist(), packed, commit.updates.tolist(), versions, strict=True),
        )
        self._db.executemany(
            "UPDATE identity SET faces = faces + ? WHERE id = ?",
            zip(commit.faces.tolist(), commit.counted.tolist(), strict=True),
        )
        packed_ids = commit.ids.astype("<i8").tobytes()
        self._db.execute("INSERT INTO call VALUES(?, ?)", (commit.key, packed_ids))
        embedded = commit.embedded
        self._add(version=len(versions), identities=new)
        self._add(detected=commit.detected, embedded=embedded, saved=embedded)

    def size(self) -> int:
        """Return the number of ids given so far."""
        with self._mapped():
            (last,) = self._db.execute("SELECT MAX(id) FROM identity").fetchone()
        return 0 if last is None else last + 1

    def rows(self, first: int, end: int) -> list[StoredIdentity]:
        """Return the identities with these numbers."""
        with self._mapped():
            rows = self._db.execute(
                "SELECT id, centroid, updates, faces FROM identity "
                "WHERE id >= ? AND id < ? AND length(centroid) ORDER BY id",
                (first, end),
            ).fetchall()
        with damage_named(str(self._path)):
            return [
                StoredIdentity(
                    id=number,
                    centroid=np.frombuffer(packed, "<f4").astype(np.float32),
                    updates=updates,
                    faces=faces,
                )
                for number, packed, updates, faces in rows
            ]

    def forget(self, ids: I64) -> None:
        """Empty the rows that are there."""
        with self._transaction() as db:
            for number in ids.tolist():
                row = db.execute(
                    "SELECT faces FROM identity WHERE id = ? AND length(centroid)", (number,)
                ).fetchone()
                if row:
                    self._add(version=1, identities=-1, saved=-row[0], forgotten=row[0])
                    db.execute(
                        "UPDATE identity SET centroid = x'', updates = 0, faces = 0, changed = ? "
                        "WHERE id = ?",
                        (self._meta("version"), number),
                    )

    def counters(self) -> Counters:
        """Return what was counted."""
        with self._mapped():
            stored = dict(self._db.execute("SELECT name, value FROM meta").fetchall())
        return Counters(**{f.name: stored.get(f.name, 0) for f in fields(Counters)})

    def close(self) -> None:
        """Give the connection back."""
        self._db.close()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"no identity store can be made in {folder}: {error}") from error
