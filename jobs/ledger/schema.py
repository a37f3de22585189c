"""Tables of the ledger, upgrades from earlier versions, and connections to its file."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from hashlib import blake2b
from pathlib import Path

VERSION = 5

# Every index on the state is partial, and queries name theirs with INDEXED BY: with a plain
# index on job(state), SQLite uses that one and sorts, which made claims 460 times slower with
# a million rows.
TABLES = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE job(
  id INTEGER PRIMARY KEY,
  key BLOB NOT NULL UNIQUE,          -- digest of the path of the csv
  spec TEXT NOT NULL,                -- JSON of JobSpec
  opts TEXT NOT NULL,                -- digest of the analysis options
  ord INTEGER NOT NULL,              -- line of the joblist
  listed INTEGER NOT NULL,           -- last import that saw it
  state TEXT NOT NULL,
  token INTEGER NOT NULL DEFAULT 0,
  worker TEXT,
  req TEXT,                          -- request that claimed it
  attempts INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0,
  fails INTEGER NOT NULL DEFAULT 0,
  due REAL,
  epoch INTEGER,                     -- run of the server that saw it done
  err_kind TEXT,
  err TEXT,
  manifest TEXT,
  parent INTEGER,                    -- job of which this is a shard
  shard TEXT,                        -- JSON of Shard
  cut INTEGER,                       -- token with which it was divided; its parent's
  shards INTEGER,                    -- number of its parts, or of its parent's
  length REAL,                       -- of its medium in seconds; infinite: cannot be told
  rival INTEGER,                     -- token of the first of two leases
  helper TEXT,                       -- worker that has the second, while it has
  helper_req TEXT                    -- request that claimed the second
);
CREATE INDEX job_wait ON job(due) WHERE state = 'wait';
CREATE INDEX job_out ON job(id) WHERE state IN ('leased', 'publishing');
CREATE INDEX job_bad ON job(id) WHERE state IN ('failed', 'poison');
CREATE INDEX job_req ON job(req) WHERE req IS NOT NULL;

CREATE TABLE counter(state TEXT PRIMARY KEY, n INTEGER NOT NULL) WITHOUT ROWID;

CREATE TABLE event(
  id INTEGER PRIMARY KEY,
  t_wall REAL NOT NULL,
  job INTEGER,
  token INTEGER,
  worker TEXT,
  what TEXT NOT NULL,
  detail TEXT
);
CREATE INDEX event_job ON event(job, id) WHERE what = 'lost';
CREATE TRIGGER event_kept BEFORE UPDATE ON event BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;
CREATE TRIGGER event_stays BEFORE DELETE ON event BEGIN
  SELECT RAISE(ABORT, 'events are append-only');
END;

CREATE TABLE worker(
  name TEXT PRIMARY KEY, host TEXT NOT NULL, pid INTEGER NOT NULL, boot_id TEXT NOT NULL
) WITHOUT ROWID;
"""
DIVISION = """
CREATE TRIGGER job_added AFTER INSERT ON job WHEN new.parent IS NULL BEGIN
  INSERT INTO counter VALUES(new.state, 1) ON CONFLICT(state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER job_moved AFTER UPDATE OF state ON job
  WHEN old.state <> new.state AND new.parent IS NULL BEGIN
  UPDATE counter SET n = n - 1 WHERE state = old.state;
  INSERT INTO counter VALUES(new.state, 1) ON CONFLICT(state) DO UPDATE SET n = n + 1;
END;
CREATE INDEX job_shard ON job(parent, cut) WHERE parent IS NOT NULL;
CREATE INDEX job_sharded ON job(id) WHERE state = 'sharded';
CREATE INDEX event_end ON event(id) WHERE what IN
  ('lost', 'expired', 'released', 'storage', 'wait', 'failed', 'cancelled', 'undivided');
"""
"""Triggers that count jobs by state, shards excluded, and the indexes of shards."""

SECOND_LEASES = """
CREATE INDEX job_helper ON job(helper_req) WHERE helper_req IS NOT NULL;
-- Whoever ends a division ends its shards with it, and every lease of them.
CREATE TRIGGER job_undivided AFTER UPDATE OF state, cut ON job
  WHEN old.parent IS NULL AND old.cut IS NOT NULL AND (new.cut IS NOT old.cut
    OR new.state IN ('done', 'failed', 'poison', 'cancelled', 'skipped')) BEGIN
  UPDATE job SET cut = NULL WHERE id = new.id AND cut = old.cut;
  INSERT INTO event(t_wall, job, token, worker, what)
    SELECT (julianday('now') - 2440587.5) * 86400.0, id, token, worker, 'cancelled' FROM job
    WHERE parent = new.id AND cut = old.cut AND state IN ('leased', 'publishing');
  INSERT INTO event(t_wall, job, token, worker, what)
    SELECT (julianday('now') - 2440587.5) * 86400.0, id, rival, worker, 'cancelled' FROM job
    WHERE parent = new.id AND cut = old.cut AND state IN ('leased', 'publishing')
      AND rival IS NOT NULL;
  UPDATE job SET state = 'cancelled'
    WHERE parent = new.id AND cut = old.cut AND state IN ('ready', 'wait', 'leased', 'publishing');
  INSERT INTO event(t_wall, job, token, what, detail)
    VALUES((julianday('now') - 2440587.5) * 86400.0, new.id, old.cut, 'undivided', old.shards);
END;
"""
"""Index of the requests for second leases, and the trigger that ends shards with their job."""

CLAIM_ORDER = "CREATE INDEX job_ready ON job(length DESC, ord, id) WHERE state = 'ready';"
"""Index for the order of claims: long media first, as a long one at the end would run alone."""

UPGRADES = {
    2: """
ALTER TABLE job ADD COLUMN parent INTEGER;
ALTER TABLE job ADD COLUMN shard TEXT;
ALTER TABLE job ADD COLUMN cut INTEGER;
ALTER TABLE job ADD COLUMN shards INTEGER;
DROP TRIGGER job_added;
DROP TRIGGER job_moved;
DROP INDEX event_end;
"""
    + DIVISION,
    3: """
ALTER TABLE job ADD COLUMN length REAL;
ALTER TABLE job ADD COLUMN rival INTEGER;
ALTER TABLE job ADD COLUMN helper TEXT;
DROP INDEX job_ready;
"""
    + CLAIM_ORDER,
    4: """
ALTER TABLE job ADD COLUMN helper_req TEXT;
DROP TRIGGER IF EXISTS job_undivided;
"""
    + SECOND_LEASES,
}
"""Version of the tables -> SQL that makes the next version from it."""


_CACHE_SIZE = "PRAGMA cache_size = -{}"
_CACHE_KB, _IMPORT_CACHE_KB = 32_000, 64_000
"""What a server keeps of its ledger in memory: always, and while it imports a joblist."""


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """Open a ledger file; a new file has no tables.

    Args:
        path: Path of the ledger.
        readonly: Whether to open it for reports only, which is possible while a server writes.
    """
    mode = "ro" if readonly else "rwc"
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=10.0,
        isolation_level=None,
        check_same_thread=False,
    )


def make_durable(connection: sqlite3.Connection) -> None:
    """Set the journal mode, which is stored in the file, and how commits reach the disk."""
    # FULL: what was acknowledged survives a power failure, which NORMAL does not promise.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(_CACHE_SIZE.format(_CACHE_KB))


@contextmanager
def large_cache(connection: sqlite3.Connection) -> Iterator[None]:
    """Keep more of the file in memory for an import.

    Keys come in random order: an import of a million jobs needs their index in memory.
    """
    connection.execute(_CACHE_SIZE.format(_IMPORT_CACHE_KB))
    try:
        yield
    finally:
        connection.execute(_CACHE_SIZE.format(_CACHE_KB))
        connection.execute("PRAGMA shrink_memory")


def create(connection: sqlite3.Connection) -> None:
    """Create the tables in one transaction."""
    connection.executescript(
        f"BEGIN IMMEDIATE; {TABLES} {DIVISION} {SECOND_LEASES} {CLAIM_ORDER}"
        f" INSERT INTO meta VALUES('schema', '{VERSION}'); COMMIT;"
    )


def upgrade(connection: sqlite3.Connection, version_found: int) -> bool:
    """Upgrade the tables of an earlier version in one transaction.

    Returns:
        Whether there is an upgrade from this version; if not, nothing was changed.
    """
    if not all(number in UPGRADES for number in range(version_found, VERSION)):
        return False
    steps = "".join(UPGRADES[number] for number in range(version_found, VERSION))
    connection.executescript(
        f"BEGIN IMMEDIATE; {steps}"
        f" UPDATE meta SET value = '{VERSION}' WHERE name = 'schema'; COMMIT;"
    )
    return True


def version(connection: sqlite3.Connection) -> int | None:
    """Return the version of the tables, or None if the file has no tables."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
        return None
    row = connection.execute("SELECT value FROM meta WHERE name = 'schema'").fetchone()
    if row and isinstance(row[0], str) and row[0].isdecimal() and len(row[0]) < 10:
        return int(row[0])
    # A number that cannot be read: the columns tell whether it is ours.
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        create(new)
        return VERSION if _columns(connection) == _columns(new) else 0


def _columns(connection: sqlite3.Connection) -> list[str]:
    return [row[1] for row in connection.execute("PRAGMA table_info(job)")]


def job_key(csv: str) -> bytes:
    """Return the key of a job: a 16-byte hash of the path of its csv."""
    return blake2b(csv.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def record_event(
    db: sqlite3.Connection,
    job: int,
    what: str,
    *,
    token: int | None = None,
    worker: str | None = None,
    detail: str | None = None,
) -> None:
    """Append an event of a job, in the caller's transaction.

    Args:
        db: Connection to the ledger, in a transaction.
        job: Number of the job.
        what: Kind of event.
        token: Token of the lease; by default, the job's.
        worker: Name of the worker; by default, the job's.
        detail: Further text.
    """
    db.execute(
        "INSERT INTO event(t_wall, job, token, worker, what, detail)"
        " SELECT ?, id, COALESCE(?, token), COALESCE(?, worker), ?, ? FROM job WHERE id = ?",
        (time.time(), token, worker, what, detail, job),
    )
