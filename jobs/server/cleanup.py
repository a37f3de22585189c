"""Removal of part files: of shards, and of leases that ended before their job was done.

The next lease of a job removes the older part files of the job. What remains are the files of jobs
that were given up, and of workers that were killed after another worker had taken their job.
"""

from __future__ import annotations

import errno
import logging
import os
import time
from collections.abc import Iterable
from functools import partial

from joblist.beneath import opened_folder
from jobs.ledger import queries
from jobs.ledger.ledger import Ledger
from jobs.outputs.part_names import part_name, shard_name

log = logging.getLogger(__name__)
BATCH = 500
MAX_SHARDS = 100_000
NEVER_REMOVED = (errno.EISDIR, errno.EACCES, errno.EPERM, errno.ELOOP)
"""Errors of a file that another try meets, too."""


def remove_part_files(ledger: Ledger, *, age_s: float, root: str | None = None) -> int:
    """Remove the part files of leases that ended some time ago; may be stopped at any point.

    Args:
        ledger: Ledger of the jobs. It remembers the last event that was handled.
        age_s: Least time since the end of a lease, in seconds. Its worker may still have the file
            open, and a network disk keeps such a file under another name.
        root: Folder that all outputs lie in; None for no such limit.

    Returns:
        Number of files removed.
    """
    removed = 0
    while rows := _ended_leases(ledger, before=time.time() - age_s):
        for _, number, token, event, count in rows:
            if isinstance(number, int) and isinstance(token, int):
                parts = _part_files(ledger, number, token, event, count)
                removed += remove_parts(parts, root)
        ledger.store.set_meta(collected=str(rows[-1][0]))
    return removed


def _part_files(ledger: Ledger, number: int, token: int, event: str, count: int) -> list[str]:
    """Return the part files of one ended lease, or of one division."""
    job, uid = ledger.store.read(partial(queries.job, number=number)), ledger.store.uid
    if job.is_unreadable or job.spec.source_path == queries.NO_NAME:
        return []
    if event == "undivided":
        csv, shards = job.spec.dests["csv"], min(count or 0, MAX_SHARDS)
        return [shard_name(csv, number, token, n, shards, uid) for n in range(shards)]
    if (job.token, job.state) in ((token, state) for state in queries.OUT):
        return []
    return [part_name(dest, number, token, uid) for dest in job.spec.dests.values()]


def _ended_leases(ledger: Ledger, *, before: float) -> list[tuple[int, int, int, str, int]]:
    """Return event number, job, token, event and number of shards of leases, in order of time."""
    text = ledger.store.meta("collected") or ""
    # From the first event where the number cannot be read: what is removed stays removed.
    since = int(text) if text.isdecimal() and len(text) <= queries.MAX_DIGITS else 0
    return ledger.store.read(
        lambda db: queries.ended_leases(db, since=since, before=before, limit=BATCH)
    )


def remove_parts(paths: Iterable[str], root: str | None = None) -> int:
    """Remove part files, those that are there and can be removed; return their number.

    Args:
        paths: Paths of the files.
        root: Folder that they must lie in; None for no such limit.

    Raises:
        OSError: The storage is away.
    """
    removed = 0
    for path in paths:
        try:
            with opened_folder(os.path.dirname(path), root) as folder:
                os.unlink(os.path.basename(path), dir_fd=folder)
                removed += 1
        except (FileNotFoundError, NotADirectoryError):
            pass
        except OSError as error:
            if error.errno not in NEVER_REMOVED:
                raise
            log.warning("%s is not removed, and stays: %s", path, error.strerror)
    return removed
