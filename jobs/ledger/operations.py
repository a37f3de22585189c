"""Operations on jobs by an operator, with or without a running server."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jobs.ledger import queries, schema, speculative_lease
from jobs.ledger.ledger import Ledger
from jobs.ledger.schema import record_event
from jobs.outputs.changed_files import Change, applied
from jobs.outputs.publish import file_sha256
from jobs.types import Job, Manifest

AGAIN = """
UPDATE job SET state = 'ready', attempts = 0, lost = 0, fails = 0, due = NULL,
  err = NULL, err_kind = NULL
WHERE id = ? AND state IN ({states})"""
TOKEN = " AND COALESCE(rival, token) = ?"
RETRY = AGAIN.format(states="'failed', 'poison', 'cancelled', 'wait'")
REDO = AGAIN.format(states="'done', 'skipped'") + TOKEN
ACCEPT = (
    """
UPDATE job SET manifest = ? WHERE id = ? AND state IN ('done', 'skipped')"""
    + TOKEN
)
CANCEL = """
UPDATE job SET state = 'cancelled', err_kind = 'operator', err = 'cancelled by the operator'
WHERE id = ? AND state IN ('ready', 'wait', 'leased', 'sharded', 'failed', 'poison')"""


def retry(ledger: Ledger, jobs: Sequence[int]) -> list[int]:
    """Give jobs that have failed, wait or were cancelled all their attempts again.

    Returns:
        Those that are ready now.
    """
    with ledger.store.transaction() as db:
        return [job for job in jobs if _change(db, RETRY, (job,), job, "retried")]


def cancel(ledger: Ledger, jobs: Sequence[int]) -> list[int]:
    """Give up jobs that are not done; one that is being published cannot be stopped.

    Returns:
        Those that are cancelled now.
    """
    with ledger.store.transaction() as db:
        return [job for job in jobs if _cancel(db, job)]


def redo(ledger: Ledger, bad: Sequence[tuple[int, int, str]]) -> list[int]:
    """Queue jobs with outputs that differ from what was published.

    Args:
        ledger: To change.
        bad: Job, token and fault; a job that ran again meanwhile is left alone.

    Returns:
        Those that are ready now.
    """
    with ledger.store.transaction() as db:
        return [j for j, token, what in bad if _change(db, REDO, (j, token), j, what)]


def as_changed(
    db: sqlite3.Connection, changes: Mapping[str, Change]
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield job, token and new manifest of the done jobs with outputs changed on purpose."""
    for job in queries.completed(db):
        assert job.manifest is not None
        manifest = applied(job.manifest, changes)
        if manifest != job.manifest:
            yield job.id, job.token, manifest.to_dict()


def accept(ledger: Ledger, changed: Sequence[tuple[int, int, dict[str, Any]]]) -> list[int]:
    """Record what outputs are now.

    Args:
        ledger: To change.
        changed: Job, token and new manifest; a job that ran again meanwhile is left alone.

    Returns:
        The jobs with new records.
    """
    with ledger.store.transaction() as db:
        return [
            job
            for job, token, manifest in changed
            if _change(db, ACCEPT, (json.dumps(manifest), job, token), job, "accepted")
        ]


def _cancel(db: sqlite3.Connection, job: int) -> bool:
    if not db.execute(CANCEL, (job,)).rowcount:
        return False
    # Of two leases, each has part files of its own that are to be removed.
    for token in speculative_lease.tokens(db, job):
        record_event(db, job, "cancelled", token=token)
    return True


def _change(
    db: sqlite3.Connection, query: str, values: tuple[Any, ...], job: int, what: str
) -> bool:
    if db.execute(query, values).rowcount == 0:
        return False
    record_event(db, job, what)
    return True


def faults(db: sqlite3.Connection) -> Iterator[tuple[Job, str, str]]:
    """Read every output of every job that is done, and compare it with the ledger.

    Yields:
        The job, what is wrong (`altered`, `missing`, or nothing), and the first file at fault.
    """
    for job in queries.completed(db):
        assert job.manifest is not None
        yield (job, *_fault(job.manifest))


def _fault(manifest: Manifest) -> tuple[str, str]:
    for file in manifest.files.values():
        path = Path(file.path)
        if not path.is_file():
            return "missing", file.path
        if path.stat().st_size != file.size or file_sha256(path) != file.sha256:
            return "altered", file.path
    return "", ""


def find(db: sqlite3.Connection, names: Sequence[str]) -> tuple[list[int], list[str]]:
    """Find jobs by number, by the path of their csv, or by that of their medium.

    Returns:
        The jobs, and the names that fit none.
    """
    matches, unknown = [], []
    for name in names:
        jobs = _by_name(db, name)
        matches += jobs
        unknown += [] if jobs else [name]
    return matches, unknown


def _by_name(db: sqlite3.Connection, name: str) -> list[int]:
    if name.isdecimal():
        query = "SELECT id FROM job WHERE id = ? AND parent IS NULL"
        return [row[0] for row in db.execute(query, (int(name),))]
    path = str(Path(name).absolute())
    rows = db.execute(
        "SELECT id FROM job WHERE parent IS NULL"
        " AND (key = ? OR json_extract(spec, '$.source_path') = ?)",
        (schema.job_key(path), path),
    )
    return [row[0] for row in rows]
