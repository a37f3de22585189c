"""Questions to a ledger; none of them changes it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from joblist.model import JobSpec
from joblist.shard import Shard
from jobs.types import Job, Manifest, State

COLUMNS = (
    "id, spec, state, token, attempts, lost, fails, worker, err_kind, err, manifest,"
    " parent, shard, cut, shards, length, rival, helper"
)
ORDER = "length DESC, ord, id"
"""Order in which jobs are handed out; those of unknown length come last."""


OUT = (State.LEASED, State.PUBLISHING)
"""States of jobs that workers hold."""
ENDS = ("lost", "expired", "released", "storage", "wait", "failed", "cancelled", "undivided")
"""Events that end a lease before its job is done, and the end of a division; also in the index
`event_end`."""


def job(db: sqlite3.Connection, number: int) -> Job:
    """Return one job."""
    row = db.execute(f"SELECT {COLUMNS} FROM job WHERE id = ?", (number,)).fetchone()
    return as_job(row)


def as_job(row: tuple[Any, ...]) -> Job:
    """Return the job of a row with `COLUMNS`."""
    number, spec, state, token, attempts, lost, fails, worker, kind, error, manifest = row[:11]
    parent, shard, cut, shards, length, rival, helper = row[11:]
    if rival is not None and not (state == State.LEASED.value and helper):
        token = rival
    return Job(
        id=number,
        spec=JobSpec.from_dict(json.loads(spec)),
        state=State(state),
        token=token,
        attempts=attempts,
        lost=lost,
        fails=fails,
        worker=worker,
        error_kind=kind,
        error=error,
        manifest=Manifest.from_dict(json.loads(manifest)) if manifest else None,
        parent=parent,
        shard=Shard(**json.loads(shard)) if shard else None,
        cut=cut,
        shards=shards,
        length=length,
        helper=helper,
    )


def outstanding(db: sqlite3.Connection) -> list[Job]:
    """Return the jobs that workers hold."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM job INDEXED BY job_out WHERE state IN ('leased', 'publishing')"
    )
    return [as_job(row) for row in rows]


def bad(db: sqlite3.Connection, *, limit: int = -1) -> list[Job]:
    """Return the jobs that failed for good; all of them without a limit."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM job INDEXED BY job_bad WHERE state IN ('failed', 'poison')"
        " AND parent IS NULL ORDER BY id LIMIT ?",
        (limit,),
    )
    return [as_job(row) for row in rows]


def unfinished(db: sqlite3.Connection) -> list[int]:
    """Return the jobs that may still be done."""
    rows = db.execute(
        "SELECT id FROM job WHERE state IN ('ready', 'wait', 'leased', 'sharded')"
        " AND parent IS NULL"
    )
    return [row[0] for row in rows]


def partial(db: sqlite3.Connection, *, epoch: int) -> list[Job]:
    """Return the jobs of one run of the server with media that were analysed in part only."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM job WHERE state = 'done' AND epoch = ? AND parent IS NULL"
        " AND json_extract(manifest, '$.statistics.partial') > 0 ORDER BY id",
        (epoch,),
    )
    return [as_job(row) for row in rows]


def completed(db: sqlite3.Connection) -> Iterator[Job]:
    """Yield the jobs with outputs that are on record as published."""
    # Asked for in portions: a cursor that stays open for hours keeps the journal from shrinking.
    last = 0
    while rows := db.execute(
        f"SELECT {COLUMNS} FROM job WHERE id > ? AND state IN ('done', 'skipped')"
        " AND parent IS NULL ORDER BY id LIMIT 100",
        (last,),
    ).fetchall():
        yield from map(as_job, rows)
        last = rows[-1][0]


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of jobs in each state that has any."""
    return dict(db.execute("SELECT state, n FROM counter WHERE n > 0"))


def shards_done(db: sqlite3.Connection) -> float:
    """Return how many jobs' worth of shards are done, of jobs that are divided."""
    done: float
    (done,) = db.execute(
        "SELECT TOTAL(1.0 / part.shards) FROM job AS whole INDEXED BY job_sharded"
        " JOIN job AS part INDEXED BY job_shard ON part.parent = whole.id AND part.cut = whole.cut"
        " WHERE whole.state = 'sharded' AND part.parent IS NOT NULL AND part.state = 'done'"
    ).fetchone()
    return done


def next_due(db: sqlite3.Connection) -> float | None:
    """Return when the first waiting job is due, in seconds since the epoch."""
    due: float | None
    (due,) = db.execute(
        "SELECT MIN(due) FROM job INDEXED BY job_wait WHERE state = 'wait'"
    ).fetchone()
    return due


def statistics(db: sqlite3.Connection, *, epoch: int) -> dict[str, float]:
    """Return the sums over the jobs done in one run of the server."""
    return dict(
        db.execute(
            "SELECT entry.key, SUM(entry.value)"
            " FROM job, json_each(job.manifest, '$.statistics') AS entry"
            " WHERE job.state = 'done' AND job.epoch = ? AND job.parent IS NULL GROUP BY entry.key",
            (epoch,),
        )
    )


def worker(db: sqlite3.Connection, name: str) -> tuple[str, int, str] | None:
    """Return host, process number and boot of a worker."""
    row: tuple[str, int, str] | None = db.execute(
        "SELECT host, pid, boot_id FROM worker WHERE name = ?", (name,)
    ).fetchone()
    return row


def first_output(db: sqlite3.Connection) -> str | None:
    """Return the csv of the first job that is not done."""
    row = db.execute(
        "SELECT spec FROM job INDEXED BY job_ready WHERE state = 'ready'"
        " UNION ALL SELECT spec FROM job INDEXED BY job_out"
        " WHERE state IN ('leased', 'publishing')"
        " UNION ALL SELECT spec FROM job INDEXED BY job_wait WHERE state = 'wait' LIMIT 1"
    ).fetchone()
    return JobSpec.from_dict(json.loads(row[0])).dests["csv"] if row else None


def ended_leases(
    db: sqlite3.Connection, *, since: int, before: float, limit: int
) -> list[tuple[int, int, int, str, str | None]]:
    """Return event, job, token, kind and detail of leases that ended before their job was done.

    Args:
        db: The ledger.
        since: Event after which to look.
        before: Latest time, in seconds since the epoch.
        limit: Most leases wanted.
    """
    return db.execute(
        f"SELECT id, job, token, what, detail FROM event INDEXED BY event_end WHERE what IN {ENDS}"
        " AND id > ? AND t_wall < ? ORDER BY id LIMIT ?",
        (since, before, limit),
    ).fetchall()


def hosts_of_losses(db: sqlite3.Connection, number: int, *, limit: int) -> int:
    """Return the number of machines on which a job's last leases were lost."""
    n: int
    (n,) = db.execute(
        "SELECT COUNT(DISTINCT worker.host) FROM (SELECT worker FROM event INDEXED BY event_job"
        " WHERE job = ? AND what = 'lost' ORDER BY id DESC LIMIT ?) AS loss"
        " JOIN worker ON worker.name = loss.worker",
        (number, limit),
    ).fetchone()
    return n
