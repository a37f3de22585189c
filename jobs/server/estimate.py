"""Estimate of the time left, from what this run has done."""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jobs.ledger import schema
from jobs.server.progress import ended, totals

KNOWN = 0.9
"""Share of the jobs ahead that must have a known length."""
DONE = """
SELECT COALESCE(NULLIF(job.length, 9e999), json_extract(job.manifest, '$.statistics.media_s'))
FROM event JOIN job ON job.id = event.job
WHERE event.id > ? AND event.id <= ? AND event.what = 'done' AND job.parent IS NULL"""
AHEAD = """
SELECT COUNT(*), TOTAL(length) FROM job INDEXED BY job_ready
WHERE state = 'ready' AND length < 1e12"""
PATIENCE_S = 1.0
"""An answer is good for so long: with a million jobs, a new one takes a while."""


@dataclass(frozen=True)
class _Running:
    """A job at work."""

    length_s: float
    """Of its medium."""
    done: float
    """Share of it."""
    speed: float
    """Seconds of medium per second; 0 where it is unknown."""

    @property
    def left_s(self) -> float:
        """Seconds of medium."""
        return self.length_s * (1 - self.done)

    @property
    def alone_s(self) -> float:
        """Time that it still takes where it is, however many other workers have nothing to do."""
        return self.left_s / self.speed if self.speed else 0.0


class Estimate:
    """The time that is left.

    Long media come first, so jobs do not end evenly: where their lengths are known, the media that
    are done and ahead are compared, not the numbers of jobs.

    Args:
        ledger: Its file; what its jobs have done so far says nothing about this run.
        patience_s: How long an answer is good.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        ledger: Path,
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = schema.connect(ledger, readonly=True)
        self._patience_s = patience_s
        self._clock = clock
        self._began = clock()
        self._told: tuple[float, float | None] = (-math.inf, None)
        self._read = self._last_event()
        self._ended: int | None = None
        """Jobs that were over before."""
        self._known, self._media_s = 0, 0.0
        """Return the number of jobs of this run with a known length, and the sum of lengths."""
        self._unknown = 0

    def close(self) -> None:
        """Close the ledger."""
        self._db.close()

    def elapsed_s(self) -> float:
        """Return the time since the beginning."""
        return self._clock() - self._began

    def left_s(self, status: Mapping[str, Any]) -> float | None:
        """Return seconds; None before anything has happened, or where the ledger cannot be read.

        Args:
            status: Status of the server.
        """
        numbers = totals(status["counts"])
        if not numbers["running"] + numbers["to do"]:
            return 0.0
        when, estimate_s = self._told
        age_s = self._clock() - when
        if age_s >= self._patience_s:
            self._told = self._clock(), self._reset(status)
            return self._told[1]
        return None if estimate_s is None else max(0.0, estimate_s - age_s)

    def _reset(self, status: Mapping[str, Any]) -> float | None:
        by_number = self._by_number(status)
        try:
            self._advance()
            by_media = self._by_media(status)
        except sqlite3.OperationalError:
            return None
        return by_number if by_media is None else by_media

    def _by_number(self, status: Mapping[str, Any]) -> float | None:
        over, total = ended(status), sum(status["counts"].values())
        if self._ended is None:
            self._ended = int(over)
        gained = over - self._ended
        return self.elapsed_s() * (total - over) / gained if gained > 0 else None

    def _last_event(self) -> int:
        (last,) = self._db.execute("SELECT COALESCE(MAX(id), 0) FROM event").fetchone()
        return int(last)

    def _advance(self) -> None:
        """Read which jobs are done since the last time."""
        last = self._last_event()
        for (length,) in self._db.execute(DONE, (self._read, last)):
            if length is None:
                self._unknown += 1
            else:
                self._known += 1
                self._media_s += length
        self._read = last

    def _by_media(self, status: Mapping[str, Any]) -> float | None:
        """Return the time by lengths; None where too few are known, or jobs are divided."""
        counts = status["counts"]
        share_known, ahead_s = self._db.execute(AHEAD).fetchone()
        ready = counts.get("ready", 0)
        if counts.get("sharded") or not share_known + self._known or share_known < KNOWN * ready:
            return None
        mean = (self._media_s + ahead_s) / (self._known + share_known)
        running = self._running(status, mean)
        others = ready - share_known + counts.get("wait", 0)
        left = ahead_s + others * mean + sum(job.left_s for job in running)
        done = self._media_s + self._unknown * mean + sum(j.length_s * j.done for j in running)
        if done <= 0:
            return None
        longest_s = max((job.alone_s for job in running), default=0.0)
        return max(left * self.elapsed_s() / done, longest_s)

    def _running(self, status: Mapping[str, Any], mean: float) -> list[_Running]:
        running: dict[int, _Running] = {}
        for job_status in (job for worker in status["workers"] for job in worker["jobs"]):
            length_s = self._length_s(job_status["job"]) or _number(
                job_status["progress"], "duration_s"
            )
            job = _Running(
                length_s or mean, job_status["done"], _number(job_status["progress"], "speed")
            )
            other = running.get(job_status["job"])
            # Of a job that two workers have, the one that is further counts.
            if other is None or job.done > other.done:
                running[job_status["job"]] = job
        return list(running.values())

    def _length_s(self, job: int) -> float:
        """Return the length of a medium; 0 where it is not known."""
        row = self._db.execute("SELECT length FROM job WHERE id = ?", (job,)).fetchone()
        return row[0] if row and row[0] and math.isfinite(row[0]) else 0.0


def _number(progress: Mapping[str, Any], name: str) -> float:
    """Return what a worker has told; 0 for all that is no length or speed."""
    value = progress.get(name)
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    return 0.0
