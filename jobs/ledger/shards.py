"""Divide a job among workers when it is claimed, and join its parts at the end.

::

    ready -> sharded (cut = token + 1) -> ready, when every shard is done -> leased, and so on
               |
               +--> failed | poison   with a shard, which it names

A shard is a job of its own, with its own leases, tokens and attempts; its csv is a file beside the
csv of the job it belongs to. It is not counted, and ends with the division: by a trigger, so that
code that changes a job need not think of its shards. A division that has ended never comes back;
what is begun anew has other shards and other files.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict

from joblist.model import JobSpec
from joblist.shard import Shard
from jobs.ledger import queries, schema
from jobs.ledger.schema import record_event
from jobs.types import MAX_ERROR_CHARS, Job, State

NEXT = f"""
SELECT id FROM job INDEXED BY job_ready WHERE state = 'ready' ORDER BY {queries.ORDER} LIMIT ?"""
DIVIDE = """
UPDATE job SET state = 'sharded', token = token + 1, cut = token + 1, shards = ?
WHERE id = ? AND parent IS NULL AND cut IS NULL"""
ADD = """
INSERT INTO job(key, spec, opts, ord, listed, state, parent, shard, cut, shards, length)
SELECT ?, ?, opts, ord, listed, 'ready', id, ?, cut, shards, length FROM job WHERE id = ?"""
LEFT = "SELECT COUNT(*) FROM job WHERE parent = ? AND cut = ? AND state <> 'done'"


def part_file(csv: str, job: int, cut: int, number: int, count: int) -> str:
    """Return where the result of a shard is kept until its job is done."""
    return f"{csv}.part.{job}.{cut}.{number + 1}of{count}.npz"


def part_files(job: Job) -> tuple[str, ...]:
    """Return the files of all shards of a job that is divided; nothing for others."""
    if job.parent is not None or job.cut is None or job.shards is None:
        return ()
    csv, count = job.spec.dests["csv"], job.shards
    return tuple(part_file(csv, job.id, job.cut, number, count) for number in range(count))


def divide(db: sqlite3.Connection, shards: Sequence[Shard], n: int) -> None:
    """Divide those of the next n jobs that have not been."""
    if not shards:
        return
    for (number,) in db.execute(NEXT, (n,)).fetchall():
        if db.execute(DIVIDE, (len(shards), number)).rowcount:
            record_event(db, number, "divided", detail=str(len(shards)))
            whole = queries.job(db, number)
            for shard, file in zip(shards, part_files(whole), strict=True):
                _add(db, whole, shard, file)


def _add(db: sqlite3.Connection, whole: Job, shard: Shard, file: str) -> None:
    spec = JobSpec(source_path=whole.spec.source_path, dests={"csv": file})
    plain = (json.dumps(spec.to_dict(), sort_keys=True), json.dumps(asdict(shard)))
    db.execute(ADD, (schema.job_key(file), *plain, whole.id))


def gather(db: sqlite3.Connection, number: int) -> None:
    """After a shard is done: when it was the last, its job is to be put together."""
    part = queries.job(db, number)
    if part.parent is None or part.state is not State.DONE:
        return
    (left,) = db.execute(LEFT, (part.parent, part.cut)).fetchone()
    query = "UPDATE job SET state = 'ready' WHERE id = ? AND state = 'sharded' AND cut = ?"
    if not left and db.execute(query, (part.parent, part.cut)).rowcount:
        record_event(db, part.parent, "gathered")


def give_up(db: sqlite3.Connection, number: int) -> None:
    """After a shard has failed for good: so has its job."""
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
    """After a job could not be put together: its parts are not as they were, and made anew."""
    db.execute("UPDATE job SET cut = NULL WHERE id = ? AND parent IS NULL", (number,))
