"""Remove the part files of leases that ended before their job was done, and of shards.

The next lease of a job clears its own names; what remains are the jobs that were given up, and
workers that were killed after another had taken over.
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


def remove_part_files(ledger: Ledger, *, age_s: float) -> int:
    """Remove the part files of leases that ended at least so long ago; may be stopped anywhere.

    Args:
        ledger: Remembers how far its events have been worked through.
        age_s: Time since the end of the lease: its worker may still have the file open, and a
            network disk keeps such a file under another name.

    Returns:
        Number of files removed.
    """
    removed = 0
    while rows := _ended(ledger, before=time.time() - age_s):
        for _, number, token, what, detail in rows:
            job = ledger.store.read(partial(queries.job, number=number))
            if what == "undivided":
                removed += sum(map(_remove, _of_shards(job, token, int(detail or 0))))
            elif (job.token, job.state) not in ((token, state) for state in queries.OUT):
                dests = job.spec.dests.values()
                removed += sum(_remove(part_path(dest, number, token)) for dest in dests)
        ledger.store.set_meta(collected=str(rows[-1][0]))
    return removed


def _of_shards(job: Job, cut: int, count: int) -> list[Path]:
    csv = job.spec.dests["csv"]
    return [Path(part_file(csv, job.id, cut, number, count)) for number in range(count)]


def _ended(ledger: Ledger, *, before: float) -> list[tuple[int, int, int, str, str | None]]:
    since = int(ledger.store.meta("collected") or 0)
    return ledger.store.read(
        lambda db: queries.ended_leases(db, since=since, before=before, limit=BATCH)
    )


def _remove(path: Path) -> bool:
    try:
        path.unlink()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True
