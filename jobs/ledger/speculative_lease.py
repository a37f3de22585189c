"""A second lease of a running job, for a worker that would have nothing else to do.

::

    leased (token T) -> leased (token T + 1, rival T): both workers go on, and either may win
        one of the leases ends for any reason -> leased to the other; nothing is counted
        one of them is ready to publish       -> publishing: the other's token is stale

Each lease has its own token and so its own part files; `Ledger.prepare` fixes one winner. The
columns hold: `rival` the token of the first lease, `helper` and `helper_req` worker and request of
the second. The column `token` only grows: when the second lease ends, it is set to a number that
no worker has. The first lease of a job is doubled at most once.
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
    """Return the good tokens of a job: one, or first and second while it is leased twice."""
    newest, first, second_worker = db.execute(
        "SELECT token, rival, helper FROM job WHERE id = ?", (job,)
    ).fetchone()
    if first is None:
        return (newest,)
    return (first,) if second_worker is None else (first, newest)


def grant(db: sqlite3.Connection, job: int, worker: str, request: str) -> bool:
    """Give a second lease of a job that one other worker has.

    Args:
        db: Connection to the ledger, in a transaction.
        job: Number of the job.
        worker: Name of the worker.
        request: Name of its request; see `Ledger.claim`.

    Returns:
        Whether the job allowed it.
    """
    if not db.execute(GRANT, (worker, request, job, worker)).rowcount:
        return False
    record_event(db, job, "doubled", worker=worker)
    return True


def settle(db: sqlite3.Connection, job: int, winner: int) -> None:
    """End the other lease if a job has two.

    Args:
        db: Connection to the ledger, in a transaction.
        job: Number of the job.
        winner: Token of the lease that has won.
    """
    for token in tokens(db, job):
        if token != winner:
            end(db, job, token, "released", detail="another worker was first")


def end(
    db: sqlite3.Connection, job: int, token: int, what: str, *, detail: str | None = None
) -> bool:
    """End one of two leases of a job.

    Args:
        db: Connection to the ledger, in a transaction.
        job: Number of the job.
        token: Token of the lease.
        what: Kind of event.
        detail: Reason for the event log.

    Returns:
        False if the job has only one lease: then nothing is changed, and the caller ends it.
    """
    good_tokens = tokens(db, job)
    if len(good_tokens) < 2:
        return False
    is_second = token == good_tokens[1]
    (worker,) = db.execute(
        f"SELECT {'helper' if is_second else 'worker'} FROM job WHERE id = ?", (job,)
    ).fetchone()
    record_event(db, job, what, token=token, worker=worker, detail=detail)
    db.execute(FIRST_GOES_ON if is_second else SECOND_GOES_ON, (job,))
    return True
