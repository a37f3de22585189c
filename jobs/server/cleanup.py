"""Removal of part files: of shards, and of leases that ended before their job was done.

The next lease of a job removes the older part files of the job. What remains are the files of jobs
that were given up, and of workers that were killed after another worker had taken their job.
"""

from __future__ import annotations

import time
from functools import partial

from jobs.ledger import queries
from jobs.ledger.ledger import Ledger
from jobs.outputs.part_names import part_name, shard_name
from jobs.outputs.publish import remove_parts

BATCH = 500


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
    removed, uid = 0, ledger.store.uid
    while rows := _ended_leases(ledger, before=time.time() - age_s):
        for _, number, token, event, detail in rows:
            job = ledger.store.read(partial(queries.job, number=number))
            if event == "undivided":
                csv, count = job.spec.dests["csv"], int(detail or 0)
                parts = [shard_name(csv, number, token, n, count, uid) for n in range(count)]
                removed += remove_parts(parts, root)
            elif (job.token, job.state) not in ((token, state) for state in queries.OUT):
                dests = job.spec.dests.values()
                removed += remove_parts((part_name(d, number, token, uid) for d in dests), root)
        ledger.store.set_meta(collected=str(rows[-1][0]))
    return removed


def _ended_leases(ledger: Ledger, *, before: float) -> list[tuple[int, int, int, str, str | None]]:
    """Return event number, job, token, event and its detail of leases, in order of time."""
    since = int(ledger.store.meta("collected") or 0)
    return ledger.store.read(
        lambda db: queries.ended_leases(db, since=since, before=before, limit=BATCH)
    )
