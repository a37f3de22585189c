"""Removal of part files: of shards, and of leases that ended before their job was done.

The next lease of a job removes the older part files of the job. What remains are the files of jobs
that were given up, and of workers that were killed after another worker had taken their job.
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path

from jobs.ledger import queries
from jobs.ledger.ledger import Ledger
from jobs.ledger.shards import part_file
from jobs.outputs.publish import part_path
from jobs.types import Job

BATCH = 500
MAX_SHARDS = 100_000


def remove_part_files(ledger: Ledger, *, age_s: float) -> int:
    """Remove the part files of leases that ended some time ago; may be stopped at any point.

    Args:
        ledger: Ledger of the jobs. It remembers the last event that was handled.
        age_s: Least time since the end of a lease, in seconds. Its worker may still have the file
            open, and a network disk keeps such a file under another name.

    Returns:
        Number of files removed.
    """
    removed = 0
    while rows := _ended_leases(ledger, before=time.time() - age_s):
        for _, number, token, event, count in rows:
            if isinstance(number, int) and isinstance(token, int):
                removed += _remove_files(ledger, number, token, event, count)
        ledger.store.set_meta(collected=str(rows[-1][0]))
    return removed


def _remove_files(ledger: Ledger, number: int, token: int, event: str, count: int) -> int:
    """Remove the part files of one ended lease, or of one division; return their number."""
    job = ledger.store.read(partial(queries.job, number=number))
    if job.is_unreadable or job.spec.source_path == queries.NO_NAME:
        return 0
    if event == "undivided":
        return sum(map(_remove, _shard_files(job, token, min(count or 0, MAX_SHARDS))))
    if (job.token, job.state) in ((token, state) for state in queries.OUT):
        return 0
    return sum(_remove(part_path(dest, number, token)) for dest in job.spec.dests.values())


def _shard_files(job: Job, cut: int, count: int) -> list[Path]:
    csv = job.spec.dests["csv"]
    return [Path(part_file(csv, job.id, cut, number, count)) for number in range(count)]


def _ended_leases(ledger: Ledger, *, before: float) -> list[tuple[int, int, int, str, int]]:
    """Return event number, job, token, event and number of shards of leases, in order of time."""
    text = ledger.store.meta("collected") or ""
    # From the first event where the number cannot be read: what is removed stays removed.
    since = int(text) if text.isdecimal() and len(text) <= queries.MAX_DIGITS else 0
    return ledger.store.read(
        lambda db: queries.ended_leases(db, since=since, before=before, limit=BATCH)
    )


def _remove(path: Path) -> bool:
    """Remove a file; return whether there was one."""
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
