"""SQLite: a file on a local disk, shared by the processes of one machine."""

import json
import logging
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.errors import ResourceError, UsageError
from analyzer.identities.backends._rewrite_sqlite import rewrite
from analyzer.identities.backends._upgrade import upgrade_sqlite
from analyzer.identities.encryption.optional import decrypted
from analyzer.identities.log.events import Place
from analyzer.identities.matching.mirrored_store import MirroredStore
from analyzer.identities.records import (
    Counters,
    Settings,
    StoreChange,
    StoreChanges,
    StoreRewrite,
    damage_named,
)
from ina_input import documents

_APPLICATION = 0x494E4149
"""Marks the file as ours: no other program's tables are written to."""
_FIRST_VERSION, _VERSION = 1, 2
_PAGE = 4096
_LOG = logging.getLogger(__name__)

# The rollback journal is kept: unlike the write-ahead log it harms nothing on a network disk,
# should a user put the file there, as long as locks work.
_TABLES = (
    "CREATE TABLE IF NOT EXISTS meta(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID",
    # A row is empty where its identity is not there any more; changed: version of the store.
    "CREATE TABLE IF NOT EXISTS identity("
    "id INTEGER PRIMARY KEY, row BLOB NOT NULL, changed INTEGER NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS call("
    "number INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, record BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS appearance("
    "call INTEGER, row INTEGER, identity INTEGER NOT NULL, record BLOB NOT NULL, "
    "PRIMARY KEY(call, row)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS appearance_of ON appearance(identity)",
    "CREATE TABLE IF NOT EXISTS portrait("
    "call INTEGER, row INTEGER, jpeg BLOB NOT NULL, PRIMARY KEY(call, row)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS event(number INTEGER PRIMARY KEY, entry BLOB NOT NULL)",
    f"PRAGMA application_id = {_APPLICATION}",
    f"PRAGMA user_version = {_VERSION}",
)


def create(
    *,
    path: str,
    settings: Settings | None,
    key: bytes | None,
    wait_s: float,
    on_wait: Callable[[], object],
) -> MirroredStore:
    """A file; its folder is made, and it is made where settings are given."""
    records = _SqliteRecords(Path(path), settings is not None, wait_s)
    return MirroredStore(decrypted(records, path, key), path, settings, on_wait)


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
        if may_make:
            _make_private(path)
        with self._mapped():
            # Transactions are begun by hand: a reader never becomes a writer, which could deadlock.
            self._db = sqlite3.connect(path, timeout=wait_s, isolation_level=None)
        try:
            self._prepare(may_make)
        except BaseException:
            self._db.close()
            raise
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            _LOG.warning("%s holds biometric data and can be read by others: chmod 600 it", path)

    def _prepare(self, may_make: bool) -> None:
        with self._mapped():
            # What is forgotten is overwritten, not only unlinked.
            self._db.execute("PRAGMA secure_delete = ON")
            is_new = not self._db.execute("SELECT 1 FROM sqlite_master").fetchone()
        if is_new and may_make:
            # Another process may make the tables at the same time.
            with self._transaction() as db:
                for statement in _TABLES:
                    db.execute(statement)
        if self._form() == (_APPLICATION, _FIRST_VERSION):
            with self._transaction() as db, damage_named(str(self._path)):
                if self._form() == (_APPLICATION, _FIRST_VERSION):
                    upgrade_sqlite(db, _TABLES)
        stored = self._form()
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

    def _form(self) -> tuple[int, ...]:
        """Return what marks the file as ours, and the version of its tables."""
        with self._mapped():
            return tuple(
                self._db.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("application_id", "user_version")
            )

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

    def changes(self, version: int, events: int) -> StoreChanges:
        """Return what changed after a version; see `analyzer.identities.Records`."""
        with self._mapped():
            # One moment: the newest change, those wanted, and the log.
            self._db.execute("BEGIN")
            try:
                rows = self._db.execute(
                    "SELECT id, row, changed, (SELECT MAX(changed) FROM identity) "
                    f"FROM identity WHERE changed > ? ORDER BY changed LIMIT {_PAGE}",
                    (version,),
                ).fetchall()
                entries = self._db.execute(
                    "SELECT entry FROM event WHERE number > ? ORDER BY number", (events,)
                ).fetchall()
            finally:
                self._db.execute("COMMIT")
        with damage_named(str(self._path)):
            return StoreChanges(
                version=rows[-1][2] if rows else version,
                newest=rows[-1][3] if rows else version,
                ids=np.array([row[0] for row in rows], np.int64),
                rows=tuple(row[1] for row in rows),
                entries=tuple(entry for (entry,) in entries),
            )

    def write(self, change: StoreChange) -> bytes | None:
        """Write it, if the store did not go on; see `analyzer.identities.Records`."""
        with self._transaction() as db:
            if change.key is not None:
                earlier = db.execute(
                    "SELECT record FROM call WHERE key = ?", (change.key,)
                ).fetchone()
                if earlier:
                    return bytes(earlier[0])
            events = self._events()
            version = self._meta("version")
            if events != change.events or change.version not in (None, version):
                return None
            if change.number not in (None, self._calls_made() + 1):
                return None
            self._write_rows(change, version)
            self._write_call(change)
            self._write_corrections(change)
        return change.record

    def _write_rows(self, change: StoreChange, version: int) -> None:
        versions = range(version + 1, version + 1 + len(change.rows))
        self._db.executemany(
            "INSERT INTO identity VALUES(?, ?, ?) "
            "ON CONFLICT(id) DO UPDATE SET row = excluded.row, changed = excluded.changed",
            [(*row, changed) for row, changed in zip(change.rows, versions, strict=True)],
        )
        self._add(**change.counters, version=len(change.rows))

    def _write_call(self, change: StoreChange) -> None:
        if change.key is None:
            return
        number = self._db.execute(
            "INSERT INTO call(key, record) VALUES(?, ?)", (change.key, change.record)
        ).lastrowid
        rows = list(enumerate(change.appearances))
        self._db.executemany(
            "INSERT INTO appearance VALUES(?, ?, ?, ?)",
            [(number, row, identity, record) for row, (identity, record, _) in rows],
        )
        self._db.executemany(
            "INSERT INTO portrait VALUES(?, ?, ?)",
            [(number, row, jpeg) for row, (_, _, jpeg) in rows if jpeg],
        )

    def _write_corrections(self, change: StoreChange) -> None:
        self._db.executemany(
            "UPDATE appearance SET identity = ?3 WHERE call = ?1 AND row = ?2", change.moved
        )
        for table in ("appearance", "portrait"):
            self._db.executemany(f"DELETE FROM {table} WHERE call = ? AND row = ?", change.erased)
        self._db.executemany(
            "INSERT INTO event VALUES(?, ?)", enumerate(change.entries, change.events + 1)
        )
        self._db.executemany("UPDATE event SET entry = ?2 WHERE number = ?1", change.rewritten)
        if change.erased or change.rewritten:
            self._add(unclean=1)

    def rewrite(self, change: StoreRewrite) -> bool:
        """Write all values in another form; see `analyzer.identities.Records`."""
        with self._transaction() as db:
            if self._events() != change.events:
                return False
            rewrite(db, change)
            self._add(unclean=1)
        return True

    def scrub(self) -> str:
        """Write the file anew, where something was erased: see `analyzer.identities.Records`.

        SQLite overwrites what it deletes, but not the copies of it that stay in the unused part of
        a page when rows move to another one.
        """
        try:
            with self._mapped():
                unclean = self._meta("unclean")
                if unclean:
                    self._db.execute("VACUUM")
                    # Not that of somebody who has erased more meanwhile.
                    self._db.execute(
                        "DELETE FROM meta WHERE name = 'unclean' AND value = ?", (unclean,)
                    )
        except ResourceError as error:
            return f"the file was not written anew, and may hold what was erased: {error}"
        return ""

    def _events(self) -> int:
        """Return the length of the log."""
        return int(self._db.execute("SELECT COUNT(*) FROM event").fetchone()[0])

    def calls_made(self) -> int:
        """Return the number of calls."""
        with self._mapped():
            return self._calls_made()

    def _calls_made(self) -> int:
        return int(self._db.execute("SELECT MAX(number) FROM call").fetchone()[0] or 0)

    def size(self) -> int:
        """Return the number of ids given so far."""
        with self._mapped():
            (last,) = self._db.execute("SELECT MAX(id) FROM identity").fetchone()
        return 0 if last is None else last + 1

    def rows(self, first: int, end: int) -> list[tuple[int, bytes]]:
        """Return the identities with these numbers."""
        return self._fetch(
            "SELECT id, row FROM identity WHERE id >= ? AND id < ? AND length(row) ORDER BY id",
            (first, end),
        )

    def appearances(self, identity: int) -> list[tuple[int, int, bytes]]:
        """Return the appearances of an identity, in their order."""
        return self._fetch(
            "SELECT call, row, record FROM appearance WHERE identity = ? ORDER BY call, row",
            (identity,),
        )

    def calls_of(self, identity: int) -> list[int]:
        """Return the numbers of the calls of an identity's appearances."""
        # Answered from the index alone.
        query = "SELECT DISTINCT call FROM appearance WHERE identity = ? ORDER BY call"
        return [call for (call,) in self._fetch(query, (identity,))]

    def calls(self, numbers: Sequence[int]) -> list[bytes]:
        """Return the records of calls."""
        return [
            record
            for number in numbers
            for (record,) in self._fetch("SELECT record FROM call WHERE number = ?", (number,))
        ]

    def portraits(self, places: Sequence[Place]) -> list[bytes]:
        """Return the portraits of appearances, empty where there is none."""
        query = "SELECT jpeg FROM portrait WHERE call = ? AND row = ?"
        rows_of_places = [self._fetch(query, place) for place in places]
        return [rows[0][0] if rows else b"" for rows in rows_of_places]

    def _fetch(self, query: str, values: tuple[int, ...]) -> list[Any]:
        with self._mapped():
            return self._db.execute(query, values).fetchall()

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


def _make_private(path: Path) -> None:
    """Make a new file for its owner alone; what SQLite writes beside it has the same mode."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise UsageError(f"no identity store can be made at {path}: {error.strerror}") from error
