"""Quarantine of workers that fail at jobs that others complete."""

from __future__ import annotations

import threading

LIMIT = 5
REMEMBERED = 64


class Quarantine:
    """Counts each worker's failures since its last success."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._streaks: dict[str, dict[int, bool]] = {}
        """Worker -> the jobs that it failed at, and whether another has completed them."""

    def failed(self, worker: str, job: int) -> None:
        """Note a failure that may be the worker's fault."""
        with self._mutex:
            streak = self._streaks.setdefault(worker, {})
            streak[job] = False
            if len(streak) > REMEMBERED:
                del streak[next(iter(streak))]

    def done(self, worker: str, job: int) -> None:
        """Note a success."""
        with self._mutex:
            if not self._holds(worker):
                self._streaks.pop(worker, None)
            for other, streak in self._streaks.items():
                if other != worker and job in streak:
                    streak[job] = True

    def _holds(self, worker: str) -> bool:
        return sum(self._streaks.get(worker, {}).values()) >= LIMIT

    def holds(self, worker: str) -> bool:
        """Return whether a worker is held back from further jobs."""
        with self._mutex:
            return self._holds(worker)

    def forget(self, worker: str) -> None:
        """Note that a worker has gone."""
        with self._mutex:
            self._streaks.pop(worker, None)
