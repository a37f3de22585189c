"""Detection of jobs that stall or exceed their time limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.retry import boottime

STALL_S = 300.0
"""Time without progress after which a job is ended."""
WALL_S = 600.0
"""Time that a job may take, or 20 times the duration of its medium where that is longer."""
WALL_FACTOR = 20.0


class Watchdog:
    """Time limits of one command of the child process, counted from the creation of this object."""

    def __init__(self) -> None:
        self._duration_s = 0.0
        self._began = self._last_progress = boottime()

    def note(self, progress: Mapping[str, Any]) -> None:
        """Record progress that the child reported."""
        self._duration_s = progress.get("duration_s", self._duration_s)
        self._last_progress = boottime()

    def exceeded(self, stall_s: float, wall_s: float) -> str:
        """Return which limit a job has exceeded, as text; empty where it has not.

        Args:
            stall_s: Time without progress, in seconds.
            wall_s: Time for the whole job, in seconds; longer for long media.
        """
        now = boottime()
        if now - self._last_progress > stall_s:
            return f"no progress for {now - self._last_progress:.0f} s"
        limit_s = max(wall_s, WALL_FACTOR * self._duration_s)
        return f"not finished after {limit_s:.0f} s" if now - self._began > limit_s else ""
