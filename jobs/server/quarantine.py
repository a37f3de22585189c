"""Quarantine for workers that fail at jobs which other workers complete."""

from __future__ import annotations

import threading

LIMIT = 5
"""Number of such jobs without a success in between."""
MAX_REMEMBERED = 64
"""Failures that are remembered of each worker."""


class Quarantine:
    """The failures of each worker since its last success."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._streaks: dict[str, dict[int, bool]] = {}
        """Worker -> jobs that it failed at -> whether another worker has completed them."""

    def failed(self, worker: str, job: int) -> None:
        """Record a failure that may be the fault of the worker."""
        with self._mutex:
            streak = self._streaks.setdefault(worker, {})
            streak[job] = False
            if len(streak) > MAX_REMEMBERED:
                del streak[next(iter(streak))]

    def done(self, worker: str, job: int) -> None:
        """Record a success of a worker."""
        with self._mutex:
            if not self._is_held(worker):
                self._streaks.pop(worker, None)
            for other, streak in self._streaks.items():
                if other != worker and job in streak:
                    streak[job] = True

    def _is_held(self, worker: str) -> bool:
        return sum(self._streaks.get(worker, {}).values()) >= LIMIT

    def holds(self, worker: str) -> bool:
        """Return whether a worker gets no further jobs."""
        with self._mutex:
            return self._is_held(worker)

    def forget(self, worker: str) -> None:
        """Remove a worker that has left."""
        with self._mutex:
            self._streaks.pop(worker, None)
