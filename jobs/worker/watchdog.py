"""Detect jobs that stall or exceed their time limit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.retry import boottime

STALL_S = 300.0
"""A job without progress for so long is ended."""
WALL_S = 600.0
"""A job may take so long, or 20 times the duration of its medium where that is longer."""
WALL_FACTOR = 20.0


class Watchdog:
    """Begins with the command that the child is given."""

    def __init__(self) -> None:
        self._duration_s = 0.0
        self._began = self._progress_at = boottime()

    def note(self, progress: Mapping[str, Any]) -> None:
        """Take news of the child."""
        self._duration_s = progress.get("duration_s", self._duration_s)
        self._progress_at = boottime()

    def exceeded(self, stall_s: float, wall_s: float) -> str:
        """Return in what way a job takes too long, or nothing."""
        now = boottime()
        if now - self._progress_at > stall_s:
            return f"no progress for {now - self._progress_at:.0f} s"
        limit_s = max(wall_s, WALL_FACTOR * self._duration_s)
        return f"not finished after {limit_s:.0f} s" if now - self._began > limit_s else ""
