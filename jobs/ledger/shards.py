"""Division of a job among workers when it is claimed, and joining of its parts at the end.

::

    ready -> sharded (cut = token + 1) -> ready, when every shard is done -> leased, and so on
               |
               +--> failed | poison   when a shard has failed; the error names the shard

A shard is a job of its own, with its own leases, tokens and attempts; its csv is a part file beside
the csv of its parent job. It is not counted. A trigger ends the shards together with their
division, so that code that changes a job need not handle its shards. A division that has ended
never comes back; the next one has new shards and new files.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict

from joblist.model import JobSpec
from joblist.shard import Shard
from jobs.ledger import queries
from jobs.ledger.schema import job_key, record_event
from jobs.outputs.part_names import shard_name
from jobs.types import MAX_ERROR_CHARS, Job, State

NEXT_JOBS = f"""
SELECT id FROM job INDEXED BY job_ready WHERE state = 'ready' ORDER BY {queries.ORDER} LIMIT ?"""
DIVIDE = """
UPDATE job SET state = 'sharded', token = token + 1, cut = token + 1, shards = ?
WHERE id = ? AND parent IS NULL AND cut IS NULL"""
ADD = """
INSERT INTO job(key, spec, opts, ord, listed, state, parent, shard, cut, shards, length)
SELECT ?, ?, opts, ord, listed, 'ready', id, ?, cut, shards, length FROM job WHERE id = ?"""
COUNT_UNFINISHED = "SELECT COUNT(*) FROM job WHERE parent = ? AND cut = ? AND state <> 'done'"


def part_files(job: Job, ledger: str) -> tuple[str, ...]:
    """Return the paths of the results of all shards of a divided job; empty for other jobs.

    Args:
        job: The job.
        ledger: Id of its ledger.
    """
    if job.parent is not None or job.cut is None or job.shards is None:
        return ()
    csv, count = job.spec.dests["csv"], job.shards
    return tuple(shard_name(csv, job.id, job.cut, n, count, ledger) for n in range(count))


def divide(db: sqlite3.Connection, shards: Sequence[Shard], n: int, ledger: str) -> None:
    """Divide the next jobs that a claim would lease, unless they are divided already.

    Args:
        db: Connection to the ledger, in a transaction.
        shards: Parts into which each job is divided; none to do nothing.
        n: Number of jobs that the claim asks for.
        ledger: Id of the ledger.
    """
    if not shards:
        return
    for (number,) in db.execute(NEXT_JOBS, (n,)).fetchall():
        if db.execute(DIVIDE, (len(shards), number)).rowcount:
            record_event(db, number, "divided", detail=str(len(shards)))
            parent = queries.job(db, number)
            for shard, file in zip(shards, part_files(parent, ledger), strict=True):
                _add(db, parent, shard, file)


def _add(db: sqlite3.Connection, parent: Job, shard: Shard, file: str) -> None:
    spec = JobSpec(source_path=parent.spec.source_path, dests={"csv": file})
    texts = (json.dumps(spec.to_dict(), sort_keys=True), json.dumps(asdict(shard)))
    db.execute(ADD, (job_key(file), *texts, parent.id))


def gather(db: sqlite3.Connection, number: int) -> None:
    """Requeue the parent job for joining when a shard that is done was its last.

    Args:
        db: Connection to the ledger, in a transaction.
        number: Number of a job that was published; nothing happens unless it is a shard.
    """
    part = queries.job(db, number)
    if part.parent is None or part.state is not State.DONE:
        return
    (unfinished,) = db.execute(COUNT_UNFINISHED, (part.parent, part.cut)).fetchone()
    query = "UPDATE job SET state = 'ready' WHERE id = ? AND state = 'sharded' AND cut = ?"
    if not unfinished and db.execute(query, (part.parent, part.cut)).rowcount:
        record_event(db, part.parent, "gathered")


def give_up(db: sqlite3.Connection, number: int) -> None:
    """Let the parent job fail together with a shard that has failed for good.

    Args:
        db: Connection to the ledger, in a transaction.
        number: Number of a job that failed; nothing happens unless it is a shard.
    """
    part = queries.job(db, number)
    if part.parent is None:
        return
    text = f"{part.shard}: {part.error}"[:MAX_ERROR_CHARS]
    changed = db.execute(
        "UPDATE job SET state = ?, err_kind = ?, err = ?, worker = ?"
        " WHERE id = ? AND state = 'sharded' AND cut = ?",
        (part.state.value, part.error_kind, text, part.worker, part.parent, part.cut),
    )
    if changed.rowcount:
        record_event(db, part.parent, part.state.value, detail=f"{part.error_kind}: {text}")


def undivide(db: sqlite3.Connection, number: int) -> None:
    """End the division of a job that could not be joined, so that all its parts are made again."""
    db.execute("UPDATE job SET cut = NULL WHERE id = ? AND parent IS NULL", (number,))
