"""Changes of jobs that an operator asks for, with or without a running server."""

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

REQUEUE = """
UPDATE job SET state = 'ready', attempts = 0, lost = 0, fails = 0, due = NULL,
  err = NULL, err_kind = NULL
WHERE id = ? AND state IN ({states})"""
IF_TOKEN = " AND COALESCE(rival, token) = ?"
RETRY = REQUEUE.format(states="'failed', 'poison', 'cancelled', 'wait'")
REDO = REQUEUE.format(states="'done', 'skipped'") + IF_TOKEN
ACCEPT = (
    """
UPDATE job SET manifest = ? WHERE id = ? AND state IN ('done', 'skipped')"""
    + IF_TOKEN
)
CANCEL = """
UPDATE job SET state = 'cancelled', err_kind = 'operator', err = 'cancelled by the operator'
WHERE id = ? AND state IN ('ready', 'wait', 'leased', 'sharded', 'failed', 'poison')"""


def retry(ledger: Ledger, jobs: Sequence[int]) -> list[int]:
    """Requeue jobs that have failed, wait or were cancelled; their failures are forgotten.

    Returns:
        Numbers of the jobs that are ready now.
    """
    with ledger.store.transaction() as db:
        return [job for job in jobs if _change(db, RETRY, (job,), job, "retried")]


def cancel(ledger: Ledger, jobs: Sequence[int]) -> list[int]:
    """Cancel jobs that are not done; a job that is being published cannot be cancelled.

    Returns:
        Numbers of the jobs that are cancelled now.
    """
    with ledger.store.transaction() as db:
        return [job for job in jobs if _cancel(db, job)]


def redo(ledger: Ledger, bad: Sequence[tuple[int, int, str]]) -> list[int]:
    """Requeue done jobs with outputs that differ from what was published.

    Args:
        ledger: Ledger to change.
        bad: Job, token and fault of each; a job that ran again meanwhile is not changed.

    Returns:
        Numbers of the jobs that are ready now.
    """
    with ledger.store.transaction() as db:
        return [job for job, token, fault in bad if _change(db, REDO, (job, token), job, fault)]


def changed_manifests(
    db: sqlite3.Connection, changes: Mapping[str, Change]
) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield job, token and new manifest of the done jobs with outputs changed on purpose.

    Args:
        db: Connection to the ledger.
        changes: Changes by absolute path of the output.
    """
    for job in queries.completed(db):
        assert job.manifest is not None
        manifest = applied(job.manifest, changes)
        if manifest != job.manifest:
            yield job.id, job.token, manifest.to_dict()


def accept(ledger: Ledger, changed: Sequence[tuple[int, int, dict[str, Any]]]) -> list[int]:
    """Record new manifests of done jobs.

    Args:
        ledger: Ledger to change.
        changed: Job, token and new manifest of each, from `changed_manifests`; a job that ran
            again meanwhile is not changed.

    Returns:
        Numbers of the jobs with new manifests.
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
    # Each lease has its own part files, which are found by the token in the event.
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
    """Read every output of each done job, and compare it with the ledger.

    Yields:
        The job, what is wrong (`altered`, `missing` or empty), and the path of the first bad file.
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
    """Find jobs by number, by the path of their csv, or by the path of their medium.

    Returns:
        Numbers of the jobs, and the names that match no job.
    """
    matches, unknown = [], []
    for name in names:
        jobs = _jobs_named(db, name)
        matches += jobs
        unknown += [] if jobs else [name]
    return matches, unknown


def _jobs_named(db: sqlite3.Connection, name: str) -> list[int]:
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
