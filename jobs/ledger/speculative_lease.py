"""A second lease of a job that is at work, for a worker that would have nothing to do.

::

    leased (token T) -> leased (token T + 1, rival T): both may go on, and both may win
        one of them ends, whatever the reason -> leased to the other, and nothing is counted
        one of them is ready to publish       -> publishing: the other's token is stale

Each lease has its own token and so its own part files; `prepare` fixes one winner, as ever. The
column `token` only grows: when the second lease ends, it is set to a number that no worker has.
A lease is doubled once.
"""

from __future__ import annotations

import sqlite3

from jobs.ledger.schema import record_event

GRANT = """
UPDATE job SET token = token + 1, attempts = attempts + 1, rival = token, helper = ?,
  helper_req = ?
WHERE id = ? AND state = 'leased' AND rival IS NULL AND worker <> ?"""
FIRST_GOES_ON = "UPDATE job SET token = token + 1, helper = NULL WHERE id = ?"
SECOND_GOES_ON = """
UPDATE job SET worker = helper, req = helper_req, rival = NULL, helper = NULL, helper_req = NULL
WHERE id = ?"""


def tokens(db: sqlite3.Connection, job: int) -> tuple[int, ...]:
    """Return the tokens of a job that are good: two while it is leased twice."""
    newest, rival, helper = db.execute(
        "SELECT token, rival, helper FROM job WHERE id = ?", (job,)
    ).fetchone()
    if rival is None:
        return (newest,)
    return (rival,) if helper is None else (rival, newest)


def grant(db: sqlite3.Connection, job: int, worker: str, request: str) -> bool:
    """Lease a job once more, if one other worker has it; say whether that was done."""
    if not db.execute(GRANT, (worker, request, job, worker)).rowcount:
        return False
    record_event(db, job, "doubled", worker=worker)
    return True


def settle(db: sqlite3.Connection, job: int, winner: int) -> None:
    """End the lease that has not won, if there are two."""
    for token in tokens(db, job):
        if token != winner:
            end(db, job, token, "released", detail="another worker was first")


def end(
    db: sqlite3.Connection, job: int, token: int, what: str, *, detail: str | None = None
) -> bool:
    """End one of two leases; False where it is the only one, which is the caller's care.

    Args:
        db: The ledger.
        job: Its number.
        token: Token of the lease.
        what: Recorded in the events.
        detail: The reason.
    """
    good = tokens(db, job)
    if len(good) < 2:
        return False
    is_second = token == good[1]
    (worker,) = db.execute(
        f"SELECT {'helper' if is_second else 'worker'} FROM job WHERE id = ?", (job,)
    ).fetchone()
    record_event(db, job, what, token=token, worker=worker, detail=detail)
    db.execute(FIRST_GOES_ON if is_second else SECOND_GOES_ON, (job,))
    return True
