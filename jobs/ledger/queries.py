"""Queries of a ledger; none of them changes it."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

from ina_input import documents
from joblist.errors import UsageError
from joblist.model import JobSpec
from joblist.shard import Shard
from jobs.types import Job, Manifest, State

COLUMNS = (
    "id, spec, state, token, attempts, lost, fails, worker, err_kind, err, manifest,"
    " parent, shard, cut, shards, length, rival, helper"
)
ORDER = "length DESC, ord, id"
"""Order in which jobs are handed out; jobs of unknown length come last."""
LISTED = """listed = COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'imported'),
  (SELECT MAX(listed) FROM job))"""
"""Whether a row is in the joblist that was imported last; a job of another row is not run again,
for the options of the run are not its own."""

MAX_NUMBER = 10**15
"""Largest number that a ledger comes to: of a token, an attempt, a run."""
MAX_DIGITS = 15
PARSERS: dict[str, Callable[[str], Any]] = {
    "spec": lambda text: JobSpec.from_dict(json.loads(text)),
    "manifest": lambda text: Manifest.from_dict(json.loads(text)),
    "shard": lambda text: Shard(**json.loads(text)),
}
"""Column with JSON -> function that reads it, or raises one of `UNREADABLE`."""
UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, UsageError)
NO_NAME = "(unreadable)"
"""Name of medium and csv of a job with a row that cannot be read."""
STATES = frozenset(state.value for state in State)
OUT = (State.LEASED, State.PUBLISHING)
"""States of jobs that workers hold."""
ENDS = ("lost", "expired", "released", "storage", "wait", "failed", "cancelled", "undivided")
"""Events that end a lease before its job is done, or end a division; the index `event_end` lists
the same."""


def job(db: sqlite3.Connection, number: int) -> Job:
    """Return a job by its number."""
    row = db.execute(f"SELECT {COLUMNS} FROM job WHERE id = ?", (number,)).fetchone()
    return as_job(row)


def destinations(db: sqlite3.Connection, number: int) -> dict[str, str]:
    """Return the destinations of a job, by exporter; empty if there is none that can be read."""
    row = db.execute("SELECT spec FROM job WHERE id = ?", (number,)).fetchone()
    try:
        return dict(PARSERS["spec"](row[0]).dests) if row else {}
    except UNREADABLE:
        return {}


def state(db: sqlite3.Connection, number: int) -> State | None:
    """Return the state of a job; None if there is no such job, or its state cannot be read."""
    row = db.execute("SELECT state FROM job WHERE id = ?", (number,)).fetchone()
    return State(row[0]) if row and row[0] in STATES else None


def as_job(row: tuple[Any, ...]) -> Job:
    """Convert a row with `COLUMNS` to a job; `is_unreadable` where that cannot be done."""
    try:
        return _job_from(row)
    except UNREADABLE as error:
        number, state, token = row[0], row[2], row[3]
        return Job(
            id=number,
            spec=JobSpec(source_path=NO_NAME, dests={"csv": NO_NAME}),
            state=State(state) if state in STATES else State.FAILED,
            token=token if isinstance(token, int) else 0,
            attempts=0,
            lost=0,
            fails=0,
            worker=None,
            error_kind="ledger",
            error=f"its row in the ledger cannot be read ({error})",
            manifest=None,
            is_unreadable=True,
        )


def _job_from(row: tuple[Any, ...]) -> Job:
    number, spec, state, token, attempts, lost, fails, worker, kind, error, manifest = row[:11]
    parent, shard, cut, shards, length, first_token, second_worker = row[11:]
    if first_token is not None and not (state == State.LEASED.value and second_worker):
        token = first_token
    return Job(
        id=number,
        spec=PARSERS["spec"](spec),
        state=State(state),
        token=token,
        attempts=attempts,
        lost=lost,
        fails=fails,
        worker=worker,
        error_kind=kind,
        error=error,
        manifest=PARSERS["manifest"](manifest) if manifest else None,
        parent=parent,
        shard=PARSERS["shard"](shard) if shard else None,
        cut=cut,
        shards=shards,
        length=length,
        second_worker=second_worker,
    )


def outstanding(db: sqlite3.Connection) -> list[Job]:
    """Return the jobs that workers hold: those that are leased or publishing."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM job INDEXED BY job_out WHERE state IN ('leased', 'publishing')"
    )
    return [as_job(row) for row in rows]


def each_bad(db: sqlite3.Connection) -> Iterator[Job]:
    """Yield the jobs that failed for good, in constant memory."""
    last = 0
    while rows := db.execute(
        f"SELECT {COLUMNS} FROM job INDEXED BY job_bad WHERE id > ?"
        " AND state IN ('failed', 'poison') AND parent IS NULL ORDER BY id LIMIT 100",
        (last,),
    ).fetchall():
        yield from map(as_job, rows)
        last = rows[-1][0]


def cancelled_by_operator(db: sqlite3.Connection) -> int:
    """Return the number of jobs of the joblist that an operator has cancelled."""
    number: int
    (number,) = db.execute(
        "SELECT COUNT(*) FROM job WHERE state = 'cancelled' AND err_kind = 'operator'"
        f" AND parent IS NULL AND {LISTED}"
    ).fetchone()
    return number


def done_in(db: sqlite3.Connection, *, epoch: int) -> int:
    """Return the number of jobs done in one run of the server."""
    number: int
    (number,) = db.execute(
        "SELECT COUNT(*) FROM job WHERE state = 'done' AND epoch = ? AND parent IS NULL", (epoch,)
    ).fetchone()
    return number


def partial(db: sqlite3.Connection, *, epoch: int) -> list[Job]:
    """Return the jobs done in one run of the server with a medium that was analysed in part."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM job WHERE state = 'done' AND epoch = ? AND parent IS NULL"
        " AND CASE WHEN json_valid(manifest)"
        " THEN json_extract(manifest, '$.statistics.partial') > 0 END ORDER BY id",
        (epoch,),
    )
    return [as_job(row) for row in rows]


def completed(db: sqlite3.Connection) -> Iterator[Job]:
    """Yield the jobs with published outputs: those that are done or skipped."""
    # In batches: a cursor that stays open for hours keeps the journal from shrinking.
    last = 0
    while rows := db.execute(
        f"SELECT {COLUMNS} FROM job WHERE id > ? AND state IN ('done', 'skipped')"
        " AND parent IS NULL ORDER BY id LIMIT 100",
        (last,),
    ).fetchall():
        yield from (job for job in map(as_job, rows) if job.manifest)
        last = rows[-1][0]


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of jobs in each state that has any."""
    return dict(db.execute("SELECT state, n FROM counter WHERE n > 0"))


def shards_done(db: sqlite3.Connection) -> float:
    """Return the sum of the fractions that are done of each divided job, in jobs."""
    jobs_done: float
    (jobs_done,) = db.execute(
        "SELECT TOTAL(1.0 / part.shards) FROM job AS whole INDEXED BY job_sharded"
        " JOIN job AS part INDEXED BY job_shard ON part.parent = whole.id AND part.cut = whole.cut"
        " WHERE whole.state = 'sharded' AND part.parent IS NOT NULL AND part.state = 'done'"
    ).fetchone()
    return jobs_done


def next_due(db: sqlite3.Connection) -> float | None:
    """Return the time when the first waiting job is due, in seconds since the epoch."""
    due: float | None
    (due,) = db.execute(
        "SELECT MIN(due) FROM job INDEXED BY job_wait WHERE state = 'wait'"
    ).fetchone()
    return due


def statistics(db: sqlite3.Connection, *, epoch: int) -> dict[str, float]:
    """Return the sums of the manifests' statistics over the jobs done in one run of the server."""
    return dict(
        db.execute(
            "SELECT entry.key, SUM(entry.value)"
            " FROM job, json_each(CASE WHEN json_valid(job.manifest) THEN job.manifest"
            " ELSE '{}' END, '$.statistics') AS entry"
            " WHERE job.state = 'done' AND job.epoch = ? AND job.parent IS NULL GROUP BY entry.key",
            (epoch,),
        )
    )


def setting(db: sqlite3.Connection, name: str) -> str | None:
    """Return a stored setting, or None if it was never set, or is no text."""
    query = "SELECT CAST(value AS BLOB) FROM meta WHERE name = ? AND typeof(value) = 'text'"
    row = db.execute(query, (name,)).fetchone()
    return row[0].decode("utf-8", "replace") if row else None


def texts_setting(db: sqlite3.Connection, name: str) -> list[str]:
    """Return a stored setting that is a list of texts in JSON; none where it is anything else."""
    try:
        values = documents.parse(setting(db, name) or "[]")
    except ValueError:
        return []
    is_right = isinstance(values, list) and all(isinstance(value, str) for value in values)
    return values if is_right else []


def last_epoch(db: sqlite3.Connection) -> int:
    """Return the number of times that a server has opened the ledger.

    Where the number cannot be read, it is the greatest that a job knows of.
    """
    text = setting(db, "epoch") or ""
    if text.isdecimal() and len(text) <= MAX_DIGITS:
        return int(text)
    numbers = [
        db.execute(
            f"SELECT MAX({column}) FROM job WHERE typeof({column}) = 'integer'"
            f" AND {column} BETWEEN 0 AND {MAX_NUMBER}"
        ).fetchone()[0]
        for column in ("listed", "epoch")
    ]
    return max(number or 0 for number in numbers)


def worker(db: sqlite3.Connection, name: str) -> tuple[str, int, str] | None:
    """Return host, process id and boot id of a worker; None if it never registered."""
    row: tuple[str, int, str] | None = db.execute(
        "SELECT host, pid, boot_id FROM worker WHERE name = ?", (name,)
    ).fetchone()
    return row


_READABLE_SPEC = "CASE WHEN json_valid(job.spec) THEN job.spec ELSE '{}' END"
"""What a job is, as JSON; SQLite would end the query at a text that is none."""


def unfinished_folders(db: sqlite3.Connection) -> Iterator[str]:
    """Yield the folder of the csv of each job that may still be done."""
    rows = db.execute(
        f"SELECT CAST(json_extract({_READABLE_SPEC}, '$.dests.csv') AS BLOB) FROM job"
        " WHERE parent IS NULL AND json_valid(spec)"
        " AND state IN ('ready', 'leased', 'publishing', 'sharded', 'wait')"
    )
    yield from (os.path.dirname(_path(row[0])) for row in rows)


def all_destinations(db: sqlite3.Connection) -> Iterator[str]:
    """Yield the destinations of all jobs that are not cancelled."""
    rows = db.execute(
        "SELECT CAST(entry.value AS BLOB)"
        f" FROM job, json_each({_READABLE_SPEC}, '$.dests') AS entry"
        " WHERE job.parent IS NULL AND job.state <> 'cancelled'"
    )
    yield from (_path(row[0]) for row in rows)


def _path(value: bytes) -> str:
    """Return a path that SQLite has taken out of a JSON text; it may be no UTF-8."""
    return value.decode("utf-8", "surrogatepass")


def ended_leases(
    db: sqlite3.Connection, *, since: int, before: float, limit: int
) -> list[tuple[int, int, int, str, int]]:
    """Return event, job, token, kind and number of leases that ended before their job was done.

    The number is that of the shards where a division has ended, and else has no meaning.

    Args:
        db: Connection to the ledger.
        since: Number of the last event that is left out.
        before: Time before which the leases ended, in seconds since the epoch.
        limit: Largest number of leases.
    """
    return db.execute(
        "SELECT id, job, token, what, CAST(detail AS INTEGER) FROM event INDEXED BY event_end"
        f" WHERE what IN {ENDS}"
        " AND id > ? AND t_wall < ? ORDER BY id LIMIT ?",
        (since, before, limit),
    ).fetchall()


def hosts_of_losses(db: sqlite3.Connection, number: int, *, limit: int) -> int:
    """Return the number of machines on which the last leases of a job were lost.

    Args:
        db: Connection to the ledger.
        number: Number of the job.
        limit: Number of lost leases to look at, the newest first.
    """
    hosts: int
    (hosts,) = db.execute(
        "SELECT COUNT(DISTINCT worker.host) FROM (SELECT worker FROM event INDEXED BY event_job"
        " WHERE job = ? AND what = 'lost' ORDER BY id DESC LIMIT ?) AS loss"
        " JOIN worker ON worker.name = loss.worker",
        (number, limit),
    ).fetchone()
    return hosts
