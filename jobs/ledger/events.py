"""What has happened to jobs, in the order in which it did."""

from __future__ import annotations

import sqlite3
import time


def note(
    db: sqlite3.Connection,
    job: int,
    what: str,
    *,
    token: int | None = None,
    worker: str | None = None,
    detail: str | None = None,
) -> None:
    """Append an event of a job, in the caller's transaction."""
    db.execute(
        "INSERT INTO event(t_wall, job, token, worker, what, detail)"
        " SELECT ?, id, COALESCE(?, token), COALESCE(?, worker), ?, ? FROM job WHERE id = ?",
        (time.time(), token, worker, what, detail, job),
    )
