"""What the page shows and does; every answer consists of plain values for JSON."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jobs.dashboard.catalogue import Catalogue, job_to_json
from jobs.dashboard.files import ReviewAddresses
from jobs.dashboard.history import History
from jobs.errors import LedgerUnavailable
from jobs.ledger import queries, schema
from jobs.ledger.store import Store
from jobs.server.estimate import Estimate
from jobs.server.operator import Operator
from jobs.server.progress import finished_count, totals
from jobs.types import Bounds, Job

MAX_AGE_S = 1.0
"""Time for which a status is reused: ten open pages cost as much as one."""
MMAP_BYTES = 1 << 30
MAX_TEXT_CHARS = 200


class Board:
    """The state of the joblist for the page, read by database connections of its own.

    Args:
        operator: Operator of the running server, which carries out the actions of the page.
        store: Store of the ledger.
        title: Name of the joblist.
        bounds: Limits on what is read.
        sample: Function that returns what is known of the archive from which the jobs are a
            sample; `None` where they are none.
    """

    def __init__(
        self,
        operator: Operator,
        store: Store,
        *,
        title: str,
        bounds: Bounds,
        sample: Callable[[], Mapping[str, Any] | None] | None = None,
    ) -> None:
        self.bounds = bounds
        self.reviews = ReviewAddresses()
        self._operator = operator
        self._title = title
        self._sample = sample
        self._began = time.time()
        self._mutex = threading.Lock()
        self._db = _connect(store)
        self._catalogue = Catalogue(_connect(store))
        self._history = History()
        self._estimate = Estimate(store.path)
        self._latest: tuple[float, dict[str, Any]] = (-math.inf, {})
        self._reader = threading.Thread(target=self._read_names, name="dashboard", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Close the connections."""
        self._reader.join(timeout=10.0)
        with self._mutex:
            self._db.close()
            self._estimate.close()
            self._catalogue.close()

    def _read_names(self) -> None:
        """Read the names of all jobs before the first search: it takes long."""
        try:
            self._catalogue.read_names()
        except sqlite3.Error:
            # Closed meanwhile, or the disk is broken: then every answer reports it.
            return

    def status(self) -> dict[str, Any]:
        """Return the progress of all jobs.

        Raises:
            LedgerUnavailable: The disk cannot be read now.
        """
        with self._mutex:
            when, snapshot = self._latest
            if time.monotonic() - when < MAX_AGE_S:
                return snapshot
            status = self._operator.status()
            if not status:
                raise LedgerUnavailable("the ledger cannot be read just now")
            try:
                self._history.advance(self._db)
            except sqlite3.OperationalError as error:
                raise LedgerUnavailable(str(error)) from error
            summary = self._summary(status)
            self._latest = time.monotonic(), summary
            return summary

    def _summary(self, status: Mapping[str, Any]) -> dict[str, Any]:
        counts = status["counts"]
        total = sum(counts.values())
        return {
            "title": self._title,
            "now": time.time(),
            "began": self._began,
            "total": total,
            "ended": min(float(total), finished_count(status)),
            "left_s": self._estimate.left_s(status),
            "groups": totals(counts),
            "withheld": status["withheld"],
            "workers": sorted(map(_worker, status["workers"]), key=lambda worker: worker["name"]),
            "throughput": self._history.columns(),
            "sample": self._sample() if self._sample else None,
        }

    def jobs(self, *, group: str, text: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Return jobs; see `Catalogue.find`.

        Raises:
            LedgerUnavailable: The disk cannot be read now.
        """
        try:
            matches = self._catalogue.find(group=group, text=text, after=after, limit=limit)
        except sqlite3.OperationalError as error:
            raise LedgerUnavailable(str(error)) from error
        return [{**job_to_json(job), "review": self.reviews.address(job)} for job in matches]

    def job(self, number: int) -> Job | None:
        """Return a job; None if there is none with this number."""
        return self._catalogue.job(number)

    def change(self, action: str, jobs: Sequence[int]) -> list[int]:
        """Change jobs; return those that were in a state for it.

        Args:
            action: `retry` or `cancel`.
            jobs: Numbers of the jobs.
        """
        changed = getattr(self._operator, action)(jobs)
        self._latest = (-math.inf, {})
        return list(changed)

    def failed(self) -> list[int]:
        """Return the jobs that failed for good."""
        with self._mutex:
            return [job.id for job in queries.each_bad(self._db)]


def _connect(store: Store) -> sqlite3.Connection:
    db = schema.connect(store.path, readonly=True)
    # Without this, a search of 100,000 jobs would copy the whole file.
    db.execute(f"PRAGMA mmap_size = {MMAP_BYTES}")
    return db


def _text(value: object) -> str:
    """Return a text from a worker, cut to a length that fits the page."""
    return str(value)[:MAX_TEXT_CHARS]


def _finite(value: object) -> float | None:
    """Return a number that JSON can hold; None for any other value from a worker."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def _worker(worker: Mapping[str, Any]) -> dict[str, Any]:
    name = str(worker["name"])
    return {
        "name": _text(name.rpartition(":")[0] or name),
        "device": _text(worker["device"]),
        "silent_s": _finite(worker["silent_s"]),
        "jobs": [
            {
                "job": job["job"],
                "source": job["source"],
                "stage": _text(job["progress"].get("stage", "")),
                "fraction": _finite(job["progress"].get("fraction")),
                "speed": _finite(job["progress"].get("speed")),
            }
            for job in worker["jobs"]
        ],
    }
