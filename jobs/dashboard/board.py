"""Questions and actions of the page; the answers are plain values for JSON."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.dashboard.catalogue import Catalogue, shown
from jobs.dashboard.files import Reviews
from jobs.dashboard.history import History
from jobs.errors import LedgerUnavailable
from jobs.ledger import queries, schema
from jobs.ledger.store import Store
from jobs.server.estimate import Estimate
from jobs.server.operator import Operator
from jobs.server.progress import ended, totals
from jobs.types import Job

FRESH_S = 1.0
"""Answers about everything are kept so long: ten open pages cost what one does."""
MMAP_BYTES = 1 << 30
MAX_TEXT = 200


class Board:
    """Answers the page's questions with connections of its own, beside the server's.

    Args:
        operator: Operator of the running server: what the page may do, it does.
        store: The ledger's.
        title: Name of the joblist.
    """

    def __init__(self, operator: Operator, store: Store, *, title: str) -> None:
        self.reviews = Reviews()
        self._operator = operator
        self._title = title
        self._began = time.time()
        self._mutex = threading.Lock()
        self._db = _connect(store)
        self._catalogue = Catalogue(_connect(store))
        self._history = History()
        self._estimate = Estimate(store.path)
        self._kept: tuple[float, dict[str, Any]] = (-math.inf, {})
        self._reader = threading.Thread(target=self._read, name="dashboard", daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Close the connections."""
        self._reader.join(timeout=10.0)
        with self._mutex:
            self._db.close()
            self._estimate.close()
            self._catalogue.close()

    def _read(self) -> None:
        """Read what takes long before anybody asks."""
        try:
            self._catalogue.read_names()
        except sqlite3.Error:
            # Closed meanwhile, or the disk is broken: then every answer says so.
            return

    def status(self) -> dict[str, Any]:
        """Return how far everything is.

        Raises:
            LedgerUnavailable: The disk is broken just now.
        """
        with self._mutex:
            when, snapshot = self._kept
            if time.monotonic() - when < FRESH_S:
                return snapshot
            status = self._operator.status()
            if not status:
                raise LedgerUnavailable("the ledger cannot be read just now")
            try:
                self._history.advance(self._db)
            except sqlite3.OperationalError as error:
                raise LedgerUnavailable(str(error)) from error
            summary = self._summary(status)
            self._kept = time.monotonic(), summary
            return summary

    def _summary(self, status: Mapping[str, Any]) -> dict[str, Any]:
        counts = status["counts"]
        total = sum(counts.values())
        return {
            "title": self._title,
            "now": time.time(),
            "began": self._began,
            "total": total,
            "ended": min(float(total), ended(status)),
            "left_s": self._estimate.left_s(status),
            "groups": totals(counts),
            "withheld": status["withheld"],
            "workers": sorted(map(_worker, status["workers"]), key=lambda worker: worker["name"]),
            "throughput": self._history.columns(),
        }

    def jobs(self, *, group: str, text: str, after: int, limit: int) -> list[dict[str, Any]]:
        """Return jobs; see Catalogue.find.

        Raises:
            LedgerUnavailable: The disk is broken just now.
        """
        try:
            matches = self._catalogue.find(group=group, text=text, after=after, limit=limit)
        except sqlite3.OperationalError as error:
            raise LedgerUnavailable(str(error)) from error
        return [{**shown(job), "review": self.reviews.address(job)} for job in matches]

    def job(self, number: int) -> Job | None:
        """Return one job; None where there is none."""
        return self._catalogue.job(number)

    def change(self, verb: str, jobs: Sequence[int]) -> list[int]:
        """Retry or cancel jobs; return those that were in a state for that."""
        changed = getattr(self._operator, verb)(jobs)
        self._kept = (-math.inf, {})
        return list(changed)

    def failed(self) -> list[int]:
        """Return the jobs that failed for good."""
        with self._mutex:
            return [job.id for job in queries.bad(self._db)]


def _connect(store: Store) -> sqlite3.Connection:
    db = schema.connect(store.path, readonly=True)
    # Without it, a search of 100,000 jobs would copy the whole file.
    db.execute(f"PRAGMA mmap_size = {MMAP_BYTES}")
    return db


def _text(value: object) -> str:
    """Return a worker's text, of bounded length."""
    return str(value)[:MAX_TEXT]


def _number(value: object) -> float | None:
    """Return a number that JSON knows; None for anything else from a worker."""
    if isinstance(value, int | float) and math.isfinite(value):
        return float(value)
    return None


def _worker(worker: Mapping[str, Any]) -> dict[str, Any]:
    name = str(worker["name"])
    return {
        "name": _text(name.rpartition(":")[0] or name),
        "device": _text(worker["device"]),
        "silent_s": _number(worker["silent_s"]),
        "jobs": [
            {
                "job": job["job"],
                "source": job["source"],
                "stage": _text(job["progress"].get("stage", "")),
                "fraction": _number(job["progress"].get("fraction")),
                "speed": _number(job["progress"].get("speed")),
            }
            for job in worker["jobs"]
        ],
    }
