"""The outputs of a server's jobs: where their storage is watched, and what may be published."""

from __future__ import annotations

import errno
from collections.abc import Collection, Mapping
from typing import Any

from jobs.errors import LedgerUnavailable
from jobs.ledger import queries
from jobs.ledger.ledger import Ledger
from jobs.outputs import publish
from jobs.outputs.places import Places
from jobs.outputs.storage_probe import Storage
from jobs.retry import Timing
from jobs.types import Manifest


def open_storage(ledger: Ledger, timing: Timing, root: str | None) -> Storage:
    """Return the watch over the storage of the outputs of unfinished jobs.

    Args:
        ledger: Ledger of the jobs.
        timing: Times of the server.
        root: Folder that all outputs lie in; None for no such limit.
    """

    def places(points: Collection[str]) -> Places:
        try:
            return ledger.store.read(
                lambda db: Places(queries.unfinished_folders(db), points=points)
            )
        except LedgerUnavailable as error:
            raise OSError(errno.EIO, str(error)) from error

    return Storage(
        places,
        ledger=ledger.store.path,
        every_s=timing.beat_s,
        patience_s=timing.beat_s / 2,
        root=root,
    )


def manifest_fault(ledger: Ledger, job: int, token: int, manifest: Mapping[str, Any]) -> str:
    """Return what a manifest names that is not the job's; empty if all is.

    Args:
        ledger: Ledger of the jobs.
        job: Number of the job.
        token: Token of the lease.
        manifest: Manifest, as a worker has sent it.
    """
    dests = ledger.store.read(lambda db: queries.destinations(db, job))
    named = Manifest.from_dict(manifest)
    return publish.fault(named, dests, job=job, token=token, ledger=ledger.store.uid)
