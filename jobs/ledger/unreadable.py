"""Rows that cannot be read: they are put aside, so that the ledger opens whatever stands in it.

A ledger may have been written by another version, by hand, or by a disk that forgets. Such a job is
`failed` with the kind `ledger`; what could not be read is kept, as SQL literals, in the event
`unreadable`, and replaced in the row. A joblist that names the job anew gives it a new row.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Sequence

from jobs.ledger import queries
from jobs.ledger.shards import NEXT_JOBS
from jobs.ledger.strays import take_out
from jobs.types import Job

log = logging.getLogger(__name__)
MAX_LOGGED = 20
KIND = "ledger"
NO_SPEC = f"""json_object('source_path', '{queries.NO_NAME}',
  'dests', json_object('csv', '{queries.NO_NAME}'))"""
NEXT_TOKEN = """(SELECT COALESCE(MAX(event.token), 0) + 1 FROM event
  WHERE event.job = job.id AND typeof(event.token) = 'integer')"""


def _whole(column: str) -> str:
    return f"(typeof({column}) = 'integer' AND {column} BETWEEN 0 AND {queries.MAX_NUMBER})"


def _or_null(column: str, *types: str) -> str:
    return f"typeof({column}) IN ('null', {', '.join(map(repr, types))})"


def _json(column: str, condition: str) -> str:
    # CASE: in another order, SQLite would stop at what is no JSON.
    return (
        f"(CASE WHEN typeof({column}) = 'text' AND json_valid({column}) THEN {condition}"
        " ELSE FALSE END)"
    )


COLUMNS = {
    "spec": (
        _json(
            "spec",
            "json_type(spec, '$.source_path') = 'text' AND json_type(spec, '$.dests.csv') = 'text'",
        ),
        NO_SPEC,
    ),
    "opts": ("typeof(opts) = 'text'", "''"),
    "state": (f"state IN ({', '.join(map(repr, sorted(queries.STATES)))})", "'failed'"),
    "token": (_whole("token"), NEXT_TOKEN),
    "manifest": (
        "manifest IS NULL OR "
        + _json(
            "manifest",
            "json_type(manifest, '$.files') = 'object'"
            " AND COALESCE(json_type(manifest, '$.statistics'), 'object') = 'object'",
        ),
        "NULL",
    ),
    "shard": (
        "shard IS NULL OR "
        + _json(
            "shard",
            "json_extract(shard, '$.number') >= 0"
            " AND json_extract(shard, '$.number') < json_extract(shard, '$.count')",
        ),
        "NULL",
    ),
    **{name: (_whole(name), "0") for name in ("ord", "listed", "attempts", "lost", "fails")},
    **{name: (_or_null(name, "integer", "real"), "NULL") for name in ("due", "length")},
    **{
        name: (_or_null(name, "integer"), "NULL")
        for name in ("epoch", "parent", "cut", "shards", "rival")
    },
    **{
        name: (_or_null(name, "text"), "NULL")
        for name in ("worker", "req", "err_kind", "err", "helper", "helper_req")
    },
}
"""Column of a job -> condition that it can be read, and what takes its place otherwise."""
TEXTS = ("spec", "opts", "state", "worker", "req", "err_kind", "err", "manifest", "shard", "helper")
FIND = "SELECT id FROM job WHERE ({}) IS NOT TRUE".format(
    " AND ".join(f"({condition})" for condition, _ in COLUMNS.values())
)
FAULTS = "SELECT {} FROM job WHERE id = ?".format(
    ", ".join(f"({condition}) IS NOT TRUE" for condition, _ in COLUMNS.values())
)
UNDONE = f"""
SELECT {queries.COLUMNS} FROM job
WHERE manifest IS NOT NULL AND state NOT IN ('done', 'skipped')"""
GIVE_UP = """
UPDATE job SET state = 'failed', err_kind = ?, err = ?
WHERE state = 'sharded' AND (id, cut) = (SELECT parent, cut FROM job WHERE id = ?)"""
ENDED = {
    "state": "'failed'",
    "err_kind": f"'{KIND}'",
    "err": ":text",
    **dict.fromkeys(("due", "rival", "helper", "helper_req"), "NULL"),
}
"""Column -> its value in a job that is put aside."""
WORKER = """typeof(name) = 'text' AND typeof(host) = 'text' AND typeof(boot_id) = 'text'
  AND typeof(pid) = 'integer' AND pid BETWEEN 1 AND 2147483647"""
COUNT_AGAIN = """
DELETE FROM counter;
INSERT INTO counter SELECT state, COUNT(*) FROM job WHERE parent IS NULL GROUP BY state;"""


def put_aside_all(db: sqlite3.Connection) -> int:
    """Put every row aside that cannot be read; return the number of jobs.

    Args:
        db: Connection to the ledger, in a transaction.
    """
    jobs = [row[0] for row in db.execute(FIND)]
    jobs += sorted(_undecodable(db) - set(jobs))
    for count, job in enumerate(jobs):
        _put_aside(db, job, is_logged=count < MAX_LOGGED)
    # Few have a manifest before they are done; those that are done are read by the import.
    for job in [job.id for job in map(queries.as_job, db.execute(UNDONE)) if job.is_unreadable]:
        jobs.append(job)
        _put_aside(db, job, is_logged=len(jobs) <= MAX_LOGGED)
    if len(jobs) > MAX_LOGGED:
        log.warning("... and %d more", len(jobs) - MAX_LOGGED)
    strays = take_out(db)
    _put_workers_aside(db)
    _repair_counts(db, is_wrong=bool(jobs or strays))
    return len(jobs) + strays


def put_aside(db: sqlite3.Connection, job: int) -> None:
    """Put a job aside that was found to be unreadable.

    Args:
        db: Connection to the ledger, in a transaction.
        job: Number of the job.
    """
    _put_aside(db, job, is_logged=True)


def readable(db: sqlite3.Connection, jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs that can be read; put the others aside."""
    for job in jobs:
        if job.is_unreadable:
            put_aside(db, job.id)
    return [job for job in jobs if not job.is_unreadable]


def put_aside_next(db: sqlite3.Connection, n: int) -> None:
    """Put the jobs aside that are next and cannot be read.

    Args:
        db: Connection to the ledger, in a transaction.
        n: Number of jobs that must be readable.
    """
    while True:
        jobs = [queries.job(db, row[0]) for row in db.execute(NEXT_JOBS, (n,)).fetchall()]
        if len(readable(db, jobs)) == len(jobs):
            return


def _undecodable(db: sqlite3.Connection) -> set[int]:
    """Return the jobs with a text that is not UTF-8."""
    columns = ", ".join(TEXTS)
    try:
        for _ in db.execute(f"SELECT {columns} FROM job"):
            pass
    except sqlite3.OperationalError:
        factory, db.text_factory = db.text_factory, bytes
        try:
            rows = db.execute(f"SELECT id, {columns} FROM job")
            return {row[0] for row in rows if not all(map(_is_utf8, row[1:]))}
        finally:
            db.text_factory = factory
    return set()


def _is_utf8(value: object) -> bool:
    try:
        return not isinstance(value, bytes) or value.decode() is not None
    except UnicodeDecodeError:
        return False


def _faults(db: sqlite3.Connection, job: int) -> list[str]:
    """Return the columns of a job that cannot be read."""
    row = db.execute(FAULTS, (job,)).fetchone()
    faults = [name for name, is_wrong in zip(COLUMNS, row, strict=True) if is_wrong]
    for name in TEXTS:
        try:
            db.execute(f"SELECT {name} FROM job WHERE id = ?", (job,)).fetchone()
        except sqlite3.OperationalError:
            faults.append(name)
    for name in [] if faults else queries.PARSERS:
        (text,) = db.execute(f"SELECT {name} FROM job WHERE id = ?", (job,)).fetchone()
        try:
            if text is not None:
                queries.PARSERS[name](text)
        except queries.UNREADABLE:
            faults.append(name)
    return faults or list(queries.PARSERS)


def _put_aside(db: sqlite3.Connection, job: int, *, is_logged: bool) -> None:
    faults = _faults(db, job)
    text = f"its row in the ledger cannot be read ({', '.join(faults)}): `jobs retry` does it again"
    kept = " || '; ' || ".join(f"'{name} = ' || {_literal(name)}" for name in faults)
    db.execute(
        f"INSERT INTO event(t_wall, job, what, detail) SELECT ?, id, 'unreadable', {kept}"
        " FROM job WHERE id = ?",
        (time.time(), job),
    )
    changes = {name: COLUMNS[name][1] for name in faults} | ENDED
    assignments = ", ".join(f"{name} = {value}" for name, value in changes.items())
    db.execute(f"UPDATE job SET {assignments} WHERE id = :job", {"job": job, "text": text})
    if db.execute(GIVE_UP, (KIND, text, job)).rowcount:
        log.warning("a shard of a job is put aside, and the job with it")
    if is_logged:
        log.warning("job %d is put aside: %s", job, text)


def _literal(column: str) -> str:
    """Return SQL that makes a literal of a value; of a text as bytes, which is always readable."""
    return f"quote(CASE typeof({column}) WHEN 'text' THEN CAST({column} AS BLOB) ELSE {column} END)"


def _put_workers_aside(db: sqlite3.Connection) -> None:
    """Forget workers that no process can be: their leases end by time."""
    condition = f"({WORKER}) IS NOT TRUE"
    try:
        for _ in db.execute("SELECT * FROM worker"):
            pass
    except sqlite3.OperationalError:
        # A text that is not UTF-8: those that live say hello again.
        condition = "TRUE"
    values = " || ', ' || ".join(map(_literal, ("name", "host", "pid", "boot_id")))
    db.execute(
        "INSERT INTO event(t_wall, what, detail)"
        f" SELECT ?, 'unreadable', 'worker = ' || {values} FROM worker WHERE {condition}",
        (time.time(),),
    )
    db.execute(f"DELETE FROM worker WHERE {condition}")


def _repair_counts(db: sqlite3.Connection, *, is_wrong: bool) -> None:
    """Count the jobs in each state anew where the numbers cannot be right."""
    states = ", ".join(map(repr, sorted(queries.STATES)))
    odd = db.execute(
        f"SELECT 1 FROM counter WHERE (state IN ({states}) AND {_whole('n')}) IS NOT TRUE"
    ).fetchone()
    if is_wrong or odd:
        for statement in filter(str.strip, COUNT_AGAIN.split(";")):
            db.execute(statement)
