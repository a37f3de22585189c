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
from jobs.server.progress import finished_count, totals

MIN_MEASURED_SHARE = 0.9
"""Share of the jobs ahead that must have a measured length."""
LENGTHS_DONE = """
SELECT COALESCE(NULLIF(job.length, 9e999), json_extract(job.manifest, '$.statistics.media_s'))
FROM event JOIN job ON job.id = event.job
WHERE event.id > ? AND event.id <= ? AND event.what = 'done' AND job.parent IS NULL"""
LENGTHS_AHEAD = """
SELECT COUNT(*), TOTAL(length) FROM job INDEXED BY job_ready
WHERE state = 'ready' AND length < 1e12"""
MAX_AGE_S = 1.0
"""Time for which an estimate is reused: with a million jobs, a new one takes a while."""


@dataclass(frozen=True)
class _RunningJob:
    """A job at work."""

    length_s: float
    """Length of its medium, in seconds."""
    done: float
    """Share of the medium that is done, 0 to 1."""
    speed: float
    """Seconds of medium per second; 0 where it is unknown."""

    @property
    def left_s(self) -> float:
        """Seconds of medium that are left."""
        return self.length_s * (1 - self.done)

    @property
    def least_time_s(self) -> float:
        """Time that its worker still needs, however many other workers are idle."""
        return self.left_s / self.speed if self.speed else 0.0


class Estimate:
    """Estimate of the time left.

    Long media come first, so jobs do not end evenly. Where the lengths of media are known, the
    estimate compares the lengths that are done and ahead, not the numbers of jobs.

    Args:
        ledger: Path of the ledger. What its jobs did before this run is not counted.
        max_age_s: Time for which an estimate is reused, in seconds.
        clock: Clock that returns monotonic seconds.
    """

    def __init__(
        self,
        ledger: Path,
        *,
        max_age_s: float = MAX_AGE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = schema.connect(ledger, readonly=True)
        self._max_age_s = max_age_s
        self._clock = clock
        self._began = clock()
        self._latest: tuple[float, float | None] = (-math.inf, None)
        """Time of the latest estimate, and the estimate."""
        self._last_event_read = self._last_event()
        self._finished_before: int | None = None
        """Number of jobs that had ended before this run."""
        self._measured_done, self._media_s = 0, 0.0
        """Number of jobs done in this run with a known length, and the sum of these lengths."""
        self._unmeasured_done = 0

    def close(self) -> None:
        """Close the ledger."""
        self._db.close()

    def elapsed_s(self) -> float:
        """Return the time since the beginning, in seconds."""
        return self._clock() - self._began

    def left_s(self, status: Mapping[str, Any]) -> float | None:
        """Return the time left, in seconds.

        Args:
            status: Status of the server.

        Returns:
            None before any progress, or where the ledger cannot be read.
        """
        numbers = totals(status["counts"])
        if not numbers["running"] + numbers["to do"]:
            return 0.0
        when, estimate_s = self._latest
        age_s = self._clock() - when
        if age_s >= self._max_age_s:
            self._latest = self._clock(), self._estimate(status)
            return self._latest[1]
        return None if estimate_s is None else max(0.0, estimate_s - age_s)

    def _estimate(self, status: Mapping[str, Any]) -> float | None:
        by_number = self._by_number(status)
        try:
            self._read_new_events()
            by_length = self._by_length(status)
        except sqlite3.OperationalError:
            return None
        return by_number if by_length is None else by_length

    def _by_number(self, status: Mapping[str, Any]) -> float | None:
        """Return the time left by the number of jobs; None before any progress."""
        finished, total = finished_count(status), sum(status["counts"].values())
        if self._finished_before is None:
            self._finished_before = int(finished)
        gained = finished - self._finished_before
        return self.elapsed_s() * (total - finished) / gained if gained > 0 else None

    def _last_event(self) -> int:
        (last,) = self._db.execute("SELECT COALESCE(MAX(id), 0) FROM event").fetchone()
        return int(last)

    def _read_new_events(self) -> None:
        """Add the lengths of the jobs that were done since the last call."""
        last = self._last_event()
        for (length,) in self._db.execute(LENGTHS_DONE, (self._last_event_read, last)):
            if length is None:
                self._unmeasured_done += 1
            else:
                self._measured_done += 1
                self._media_s += length
        self._last_event_read = last

    def _by_length(self, status: Mapping[str, Any]) -> float | None:
        """Return the time left by lengths; None where too few are known, or jobs are divided."""
        counts = status["counts"]
        measured_ahead, ahead_s = self._db.execute(LENGTHS_AHEAD).fetchone()
        ready = counts.get("ready", 0)
        measured = self._measured_done + measured_ahead
        if counts.get("sharded") or not measured or measured_ahead < MIN_MEASURED_SHARE * ready:
            return None
        mean = (self._media_s + ahead_s) / measured
        running = self._running(status, mean)
        others = ready - measured_ahead + counts.get("wait", 0)
        left = ahead_s + others * mean + sum(job.left_s for job in running)
        done = self._media_s + self._unmeasured_done * mean
        done += sum(job.length_s * job.done for job in running)
        if done <= 0:
            return None
        longest_s = max((job.least_time_s for job in running), default=0.0)
        return max(left * self.elapsed_s() / done, longest_s)

    def _running(self, status: Mapping[str, Any], mean: float) -> list[_RunningJob]:
        """Return the jobs at work; `mean` stands in for a length that is not known."""
        running: dict[int, _RunningJob] = {}
        for job_status in (job for worker in status["workers"] for job in worker["jobs"]):
            number, progress = job_status["job"], job_status["progress"]
            job = _RunningJob(
                length_s=self._length_s(number) or _positive(progress, "duration_s") or mean,
                done=job_status["done"],
                speed=_positive(progress, "speed"),
            )
            other = running.get(number)
            # Of the two leases of a job, the one that is further counts.
            if other is None or job.done > other.done:
                running[number] = job
        return list(running.values())

    def _length_s(self, job: int) -> float:
        """Return the length of a medium; 0 where it is not known."""
        row = self._db.execute("SELECT length FROM job WHERE id = ?", (job,)).fetchone()
        return row[0] if row and row[0] and math.isfinite(row[0]) else 0.0


def _positive(progress: Mapping[str, Any], name: str) -> float:
    """Return a length or speed that a worker reported; 0 for any other value."""
    value = progress.get(name)
    if isinstance(value, int | float) and math.isfinite(value) and value > 0:
        return float(value)
    return 0.0
