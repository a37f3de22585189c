"""Questions to a ledger; none of them changes it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from jobs.model import Job, JobSpec, Manifest, State

COLUMNS = "id, spec, state, token, attempts, lost, fails, worker, err_kind, err, manifest"


def job(db: sqlite3.Connection, number: int) -> Job:
    """Return one job."""
    row = db.execute(f"SELECT {COLUMNS} FROM job WHERE id = ?", (number,)).fetchone()
    return _job(row)


def _job(row: tuple[Any, ...]) -> Job:
    number, spec, state, token, attempts, lost, fails, worker, kind, error, manifest = row
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
    )


def outstanding(db: sqlite3.Connection) -> list[Job]:
    """Return the jobs that workers hold."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM job INDEXED BY job_out WHERE state IN ('leased', 'publishing')"
    )
    return [_job(row) for row in rows]


def bad(db: sqlite3.Connection, *, limit: int = -1) -> list[Job]:
    """Return the jobs that failed for good; all of them without a limit."""
    rows = db.execute(
        f"SELECT {COLUMNS} FROM job INDEXED BY job_bad WHERE state IN ('failed', 'poison')"
        " ORDER BY id LIMIT ?",
        (limit,),
    )
    return [_job(row) for row in rows]


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return the number of jobs in each state that has any."""
    return dict(db.execute("SELECT state, n FROM counter WHERE n > 0"))


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
            " WHERE job.state = 'done' AND job.epoch = ? GROUP BY entry.key",
            (epoch,),
        )
    )


def worker(db: sqlite3.Connection, name: str) -> tuple[str, int, str] | None:
    """Return host, process number and boot of a worker."""
    row: tuple[str, int, str] | None = db.execute(
        "SELECT host, pid, boot_id FROM worker WHERE name = ?", (name,)
    ).fetchone()
    return row
