"""History of finished jobs, from the events of the ledger."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any

EVENTS_PER_READ = 20_000
"""Events read at a time, so that others can use the disk in between."""
BIN_S = 10
"""Width of the bins in which jobs are counted, in seconds."""
WIDTHS_S = (10, 30, 60, 120, 300, 600, 1800)
"""Widths that a column of the page may have, in seconds."""
COLUMNS = 60
LONGEST_S = COLUMNS * WIDTHS_S[-1]
"""Longest time that the page shows, in seconds."""
JOBS_DONE = """
SELECT event.t_wall, json_extract(job.manifest, '$.statistics.media_s')
FROM event JOIN job ON job.id = event.job
WHERE event.id > ? AND event.id <= ? AND event.what = 'done' AND event.t_wall > ?
  AND job.parent IS NULL"""


class History:
    """Number of jobs, and seconds of media, done in each interval of time."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._bins: dict[int, list[float]] = {}
        """Number of a bin since the epoch -> [jobs, seconds of media]."""
        self._last_event_read = 0

    def advance(self, db: sqlite3.Connection) -> None:
        """Read the events since the last call."""
        with self._mutex:
            last, since = _last_event(db), time.time() - LONGEST_S
            while self._last_event_read < last:
                until = min(last, self._last_event_read + EVENTS_PER_READ)
                for row in db.execute(JOBS_DONE, (self._last_event_read, until, since)):
                    self._add(*row)
                self._last_event_read = until

    def _add(self, when: object, media_s: object) -> None:
        if not isinstance(when, int | float):
            # A row that is not as this program writes it.
            return
        values = self._bins.setdefault(int(when // BIN_S), [0.0, 0.0])
        values[0] += 1
        values[1] += media_s if isinstance(media_s, int | float) else 0.0

    def columns(self) -> dict[str, Any]:
        """Return jobs per minute and seconds of media per second, in at most 60 equal columns."""
        now = time.time()
        with self._mutex:
            oldest = min(self._bins, default=int(now // BIN_S)) * BIN_S
            first = max(float(oldest), now - LONGEST_S)
            width = next((w for w in WIDTHS_S if w * COLUMNS >= now - first), WIDTHS_S[-1])
            # Without the column that is not complete yet: it would always look like a decrease.
            end = int(now // width) * width
            count = max(1, min(COLUMNS, int((end - first) // width) + 1))
            jobs, media = [0.0] * count, [0.0] * count
            for number, (n, seconds) in self._bins.items():
                column = count - 1 - int((end - 1 - number * BIN_S) // width)
                if 0 <= column < count and number * BIN_S < end:
                    jobs[column] += n
                    media[column] += seconds
        return {
            "end": end,
            "width_s": width,
            "jobs_per_min": [60 * n / width for n in jobs],
            "speed": [s / width for s in media],
        }


def _last_event(db: sqlite3.Connection) -> int:
    (last,) = db.execute("SELECT COALESCE(MAX(id), 0) FROM event").fetchone()
    return int(last)
