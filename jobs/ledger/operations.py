"""Changes of jobs that an operator asks for, with or without a running server."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from joblist.clashes import real_folder
from joblist.model import JobSpec, is_address
from jobs.ledger import queries
from jobs.ledger.ledger import UNLISTED, Ledger
from jobs.ledger.queries import LISTED
from jobs.ledger.result_mounts import ResultMounts
from jobs.ledger.schema import record_event
from jobs.outputs.changed_files import Change, applied
from jobs.outputs.digests import file_sha256
from jobs.types import Job, Manifest, State

PORTION = 1000
"""Jobs that one transaction changes: workers wait for the ledger no longer than some 50 ms."""
NAMED = "id IN (SELECT value FROM json_each(:jobs)) AND parent IS NULL AND ({states})"
LACKS_FILE = """
state IN ('done', 'skipped') AND CASE WHEN json_valid(manifest)
THEN json_extract(manifest, '$.faults') IS NOT NULL END"""
"""Condition of jobs that are done but for a file that could not be written."""
RETRIABLE = f"state IN ('failed', 'poison', 'cancelled', 'wait') OR {LACKS_FILE}"
RETRY = f"""
UPDATE job SET state = 'ready', attempts = 0, lost = 0, fails = 0, due = NULL,
  err = NULL, err_kind = NULL
WHERE {NAMED.format(states=RETRIABLE)} AND {LISTED}
RETURNING id"""
RETRIED = """
INSERT INTO event(t_wall, job, token, worker, what)
SELECT :now, id, token, worker, 'retried' FROM job
WHERE id IN (SELECT value FROM json_each(:jobs))"""
CANCELLABLE = NAMED.format(
    states="state IN ('ready', 'wait', 'leased', 'sharded', 'failed', 'poison')"
)
# Each lease has its own part files, which are found by the token in the event.
CANCELLED = f"""
INSERT INTO event(t_wall, job, token, worker, what)
SELECT :now, id, COALESCE(rival, token), worker, 'cancelled' FROM job WHERE {CANCELLABLE}
UNION ALL
SELECT :now, id, token, helper, 'cancelled' FROM job
WHERE {CANCELLABLE} AND rival IS NOT NULL AND helper IS NOT NULL"""
CANCEL = f"""
UPDATE job SET state = 'cancelled', err_kind = 'operator', err = 'cancelled by the operator'
WHERE {CANCELLABLE} RETURNING id"""
IF_DONE = """
WHERE id = ? AND state IN ('done', 'skipped') AND parent IS NULL AND COALESCE(rival, token) = ?"""
REDO = f"""
UPDATE job SET state = 'ready', attempts = 0, lost = 0, fails = 0, due = NULL,
  err = NULL, err_kind = NULL {IF_DONE} AND {LISTED}"""
DROP = f"""
UPDATE job SET state = 'cancelled', err_kind = 'unlisted', err = '{UNLISTED}'
{IF_DONE}"""
ACCEPT = f"UPDATE job SET manifest = ? {IF_DONE}"
MAX_NUMBER = (1 << 63) - 1
LEFT = f"""
SELECT CASE WHEN err_kind = 'unlisted' AND state = 'cancelled' THEN '{UNLISTED}'
            WHEN state IN ('failed', 'poison', 'wait', 'cancelled') AND NOT ({LISTED})
            THEN '{UNLISTED}' ELSE state END AS why, COUNT(*)
FROM job WHERE id IN (SELECT value FROM json_each(:jobs)) GROUP BY why"""


def retry(ledger: Ledger, jobs: Sequence[int]) -> list[int]:
    """Requeue listed jobs that have failed, wait, were cancelled or lack a file.

    Their failures are forgotten.

    Returns:
        Numbers of the jobs that are ready now.
    """
    return [job for page in _pages_of(jobs) for job in _retry(ledger, page)]


def cancel(ledger: Ledger, jobs: Sequence[int]) -> list[int]:
    """Cancel jobs that are not done; a job that is being published cannot be cancelled.

    Returns:
        Numbers of the jobs that are cancelled now.
    """
    return [job for page in _pages_of(jobs) for job in _cancel(ledger, page)]


def _pages_of(jobs: Sequence[int]) -> Iterator[Sequence[int]]:
    """Yield the jobs of one transaction: in between, workers get their answers."""
    return (jobs[first : first + PORTION] for first in range(0, len(jobs), PORTION))


def _retry(ledger: Ledger, jobs: Sequence[int]) -> list[int]:
    with ledger.store.transaction() as db:
        changed = {row[0] for row in db.execute(RETRY, {"jobs": json.dumps(list(jobs))})}
        db.execute(RETRIED, {"jobs": json.dumps(list(changed)), "now": time.time()})
    return [job for job in dict.fromkeys(jobs) if job in changed]


def _cancel(ledger: Ledger, jobs: Sequence[int]) -> list[int]:
    values = {"jobs": json.dumps(list(jobs)), "now": time.time()}
    with ledger.store.transaction() as db:
        db.execute(CANCELLED, values)
        changed = {row[0] for row in db.execute(CANCEL, {"jobs": values["jobs"]})}
    return [job for job in dict.fromkeys(jobs) if job in changed]


def redo(ledger: Ledger, bad: Sequence[tuple[int, int, str]]) -> list[int]:
    """Requeue done jobs with outputs that differ from what was published.

    A job that is no longer in the joblist is cancelled instead: it is done again when it is back.

    Args:
        ledger: Ledger to change.
        bad: Job, token and fault of each; a job that ran again meanwhile is not changed.

    Returns:
        Numbers of the jobs that are ready now.
    """
    ready = []
    with ledger.store.transaction() as db:
        for job, token, fault in bad:
            if _change(db, REDO, (job, token), job, fault):
                ready.append(job)
            else:
                _change(db, DROP, (job, token), job, fault)
    return ready


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


def _change(
    db: sqlite3.Connection, query: str, values: tuple[Any, ...], job: int, what: str
) -> bool:
    if db.execute(query, values).rowcount == 0:
        return False
    record_event(db, job, what)
    return True


def pages(db: sqlite3.Connection, *states: State, lacking: bool = False) -> Iterator[list[int]]:
    """Yield the numbers of all jobs in some states, `PORTION` at a time.

    A job that changes meanwhile comes once at most.

    Args:
        db: Connection to the ledger.
        states: The states.
        lacking: Whether jobs that are done but for a file are among them.
    """
    values, last = ", ".join(f"'{state.value}'" for state in states), 0
    query = (
        f"SELECT id FROM job WHERE id > ? AND parent IS NULL"
        f" AND (state IN ({values}){f' OR {LACKS_FILE}' if lacking else ''})"
        f" ORDER BY id LIMIT {PORTION}"
    )
    while page := [row[0] for row in db.execute(query, (last,))]:
        yield page
        last = page[-1]


def reasons(db: sqlite3.Connection, jobs: Iterable[int]) -> dict[str, int]:
    """Return why an operation has left jobs as they are: a state or `UNLISTED`, and how many."""
    return dict(db.execute(LEFT, {"jobs": json.dumps(list(jobs))}))


def faults(db: sqlite3.Connection) -> Iterator[tuple[Job, str, str]]:
    """Read every output of each done job, and compare it with the ledger.

    Yields:
        The job, what is wrong (`altered`, `missing`, `unreadable` or empty), and the path of the
        first bad file; of an unreadable one, with the reason. Where its mount is gone, it is
        unreadable.
    """
    mounts = ResultMounts(db)
    for job in queries.completed(db):
        assert job.manifest is not None
        fault, where = _fault(job.manifest)
        point = mounts.gone_from(where) if fault == "missing" else ""
        if point:
            fault, where = "unreadable", f"{where}: {point} is no longer mounted"
        yield job, fault, where


def _fault(manifest: Manifest) -> tuple[str, str]:
    for file in manifest.files.values():
        path = Path(file.path)
        try:
            size = os.stat(path).st_size
            if not path.is_file():
                return "missing", file.path
            if size != file.size or file_sha256(path) != file.sha256:
                return "altered", file.path
        except (FileNotFoundError, NotADirectoryError):
            return "missing", file.path
        except OSError as error:
            # Not a word about the file: it may be as it was.
            return "unreadable", f"{file.path}: {error.strerror}"
    return "", ""


def find(db: sqlite3.Connection, names: Sequence[str]) -> tuple[list[int], list[str]]:
    """Find jobs by number, by the path of an output or of the medium, or by its address.

    Paths are compared with their links resolved.

    Returns:
        Numbers of the jobs, each once, and the names that match no job.
    """
    matches: dict[int, None] = {}
    unknown = []
    for name in names:
        jobs = _numbered(db, int(name)) if name.isdecimal() else _named(db, name)
        matches |= dict.fromkeys(jobs)
        unknown += [] if jobs else [name]
    return list(matches), unknown


def _numbered(db: sqlite3.Connection, number: int) -> list[int]:
    if number > MAX_NUMBER:
        return []
    query = "SELECT id FROM job WHERE id = ? AND parent IS NULL"
    return [row[0] for row in db.execute(query, (number,))]


def _named(db: sqlite3.Connection, name: str) -> list[int]:
    """Return the jobs with a path or an address; the text of a row tells which may have it."""
    wanted = {name} if is_address(name) else {_place(name), os.path.realpath(name)}
    ends = {json.dumps(path.rpartition("/")[2])[1:] for path in (*wanted, os.path.abspath(name))}
    query = (
        "SELECT id, spec FROM job WHERE parent IS NULL AND ("
        + " OR ".join("instr(spec, ?)" for _ in ends)
        + ")"
    )
    jobs = []
    for number, text in db.execute(query, [f"/{end}" for end in ends]):
        spec = JobSpec.from_dict(json.loads(text))
        paths = (spec.source_path, *spec.dests.values())
        if not wanted.isdisjoint({p if is_address(p) else _place(p) for p in paths}):
            jobs.append(number)
    return jobs


def _place(path: str) -> str:
    """Return the path with the links of its folder resolved, as a rename sees it."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(real_folder(folder), name)
