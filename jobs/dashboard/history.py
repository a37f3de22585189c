"""What has ended when, read off the events as they come, and what follows for the end of it all."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from jobs.display import Pace, ended

PORTION = 20_000
"""Events read at a time: others may want the disk meanwhile."""
BASE_S = 10
"""Width of the finest columns."""
WIDTHS_S = (10, 30, 60, 120, 300, 600, 1800)
COLUMNS = 60
LONGEST_S = COLUMNS * WIDTHS_S[-1]
"""What the page shows at most."""
ENDS = """
SELECT event.t_wall, job.length, json_extract(job.manifest, '$.statistics.media_s'), event.id
FROM event JOIN job ON job.id = event.job
WHERE event.id > ? AND event.id <= ? AND event.what = 'done' AND event.t_wall > ?
  AND job.parent IS NULL"""
AHEAD = """
SELECT COUNT(*), COUNT(length), TOTAL(length) FROM job INDEXED BY job_ready
WHERE state = 'ready' AND length < 1e12"""


class History:
    """Jobs, and seconds of media, done in each stretch of time.

    Args:
        db: The ledger; its events so far belong to earlier runs.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._mutex = threading.Lock()
        self._bins: dict[int, list[float]] = {}
        self._read = 0
        self._began = _last(db)
        self._pace = Pace()
        self._known, self._seconds = 0, 0.0
        """Of the jobs done in this run: those whose length was known, and the sum of it."""
        self._unknown = 0

    def advance(self, db: sqlite3.Connection) -> None:
        """Read what has happened since the last time."""
        with self._mutex:
            last, since = _last(db), time.time() - LONGEST_S
            while self._read < last:
                until = min(last, self._read + PORTION)
                for row in db.execute(ENDS, (self._read, until, since)):
                    self._add(*row)
                self._read = until

    def _add(self, when: float, length: float | None, media_s: float | None, event: int) -> None:
        column = self._bins.setdefault(int(when // BASE_S), [0.0, 0.0])
        column[0] += 1
        column[1] += media_s or 0.0
        if event > self._began:
            if length is not None and length < float("inf"):
                self._known += 1
                self._seconds += length
            else:
                self._unknown += 1

    def columns(self) -> dict[str, Any]:
        """Return jobs a minute and seconds of media a second, in at most 60 equal stretches."""
        now = time.time()
        with self._mutex:
            oldest = min(self._bins, default=int(now // BASE_S)) * BASE_S
            first = max(float(oldest), now - LONGEST_S)
            width = next((w for w in WIDTHS_S if w * COLUMNS >= now - first), WIDTHS_S[-1])
            # The stretch that is not over yet would always look like a fall.
            end = int(now // width) * width
            count = max(1, min(COLUMNS, int((end - first) // width) + 1))
            jobs, media = [0.0] * count, [0.0] * count
            for column, (n, seconds) in self._bins.items():
                place = count - 1 - int((end - 1 - column * BASE_S) // width)
                if 0 <= place < count and column * BASE_S < end:
                    jobs[place] += n
                    media[place] += seconds
        return {
            "end": end,
            "width_s": width,
            "jobs_per_min": [60 * n / width for n in jobs],
            "speed": [s / width for s in media],
        }

    def left_s(self, db: sqlite3.Connection, status: Mapping[str, Any]) -> float | None:
        """Estimate the time that is left, in seconds; None before anything has happened.

        Long media come first, so jobs do not end evenly: where their lengths are known, the media
        that are done and ahead are compared, not the numbers of jobs.
        """
        by_number = self._pace.remaining_s(ended(dict(status)), sum(status["counts"].values()))
        counts = status["counts"]
        ready = counts.get("ready", 0)
        _, known, seconds = db.execute(AHEAD).fetchone()
        if counts.get("sharded") or not known + self._known or known < 0.9 * ready:
            return by_number
        mean = (self._seconds + seconds) / (self._known + known)
        other = ready - known + counts.get("wait", 0)
        running, done = _at_work(db, status["workers"], mean)
        done += self._seconds + self._unknown * mean
        rate = done / max(1e-3, self._pace.elapsed_s())
        return (seconds + other * mean + running) / rate if rate > 0 else None


def _last(db: sqlite3.Connection) -> int:
    (last,) = db.execute("SELECT COALESCE(MAX(id), 0) FROM event").fetchone()
    return int(last)


def _at_work(
    db: sqlite3.Connection, workers: Sequence[Mapping[str, Any]], mean: float
) -> tuple[float, float]:
    """Return the seconds of media that are left and done of the jobs at work."""
    left = done = 0.0
    for job in (job for worker in workers for job in worker["jobs"]):
        row = db.execute("SELECT length FROM job WHERE id = ?", (job["job"],)).fetchone()
        known = row and row[0] is not None and row[0] < float("inf")
        length = row[0] if known else mean
        left += length * (1 - job["done"])
        done += length * job["done"]
    return left, done
