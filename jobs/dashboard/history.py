"""History of finished jobs, read off the events as they come."""

from __future__ import annotations

import sqlite3
import threading
import time
from typing import Any

PORTION = 20_000
"""Events read at a time: others may want the disk meanwhile."""
BASE_S = 10
"""Width of the finest columns."""
WIDTHS_S = (10, 30, 60, 120, 300, 600, 1800)
COLUMNS = 60
LONGEST_S = COLUMNS * WIDTHS_S[-1]
"""What the page shows at most."""
ENDS = """
SELECT event.t_wall, json_extract(job.manifest, '$.statistics.media_s')
FROM event JOIN job ON job.id = event.job
WHERE event.id > ? AND event.id <= ? AND event.what = 'done' AND event.t_wall > ?
  AND job.parent IS NULL"""


class History:
    """Jobs, and seconds of media, done in each stretch of time."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._bins: dict[int, list[float]] = {}
        self._read = 0

    def advance(self, db: sqlite3.Connection) -> None:
        """Read what has happened since the last time."""
        with self._mutex:
            last, since = _last(db), time.time() - LONGEST_S
            while self._read < last:
                until = min(last, self._read + PORTION)
                for row in db.execute(ENDS, (self._read, until, since)):
                    self._add(*row)
                self._read = until

    def _add(self, when: float, media_s: float | None) -> None:
        column = self._bins.setdefault(int(when // BASE_S), [0.0, 0.0])
        column[0] += 1
        column[1] += media_s or 0.0

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
                row = count - 1 - int((end - 1 - column * BASE_S) // width)
                if 0 <= row < count and column * BASE_S < end:
                    jobs[row] += n
                    media[row] += seconds
        return {
            "end": end,
            "width_s": width,
            "jobs_per_min": [60 * n / width for n in jobs],
            "speed": [s / width for s in media],
        }


def _last(db: sqlite3.Connection) -> int:
    (last,) = db.execute("SELECT COALESCE(MAX(id), 0) FROM event").fetchone()
    return int(last)
