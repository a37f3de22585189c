"""Detection of jobs that stall or exceed their time limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

STALL_S = 300.0
"""Time without progress after which a job is ended."""
WALL_S = 600.0
"""Time that a job may take, or 20 times the duration of its medium where that is longer."""
WALL_FACTOR = 20.0
UNLIMITED_STAGES = frozenset({"fetch", "identities", "loading", "publishing"})
"""Stages that depend on networks and disks: as long as they get on, they may take any time."""
LATE_S = 5.0
"""Time between two looks after which the supervisor itself was held up."""


class Watchdog:
    """Time limits of one command of the child process, counted from the creation of this object.

    Time in which the machine was suspended, or this process held up, does not count.

    Args:
        clock: Clock that returns monotonic seconds, and stands still during suspend.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._duration_s = 0.0
        self._began = self._last_progress = self._last_look = clock()

    def note(self, progress: Mapping[str, Any]) -> None:
        """Record progress that the child reported."""
        self._duration_s = progress.get("duration_s", self._duration_s)
        now = self._clock()
        if progress.get("stage") in UNLIMITED_STAGES:
            self._began += now - self._last_progress
        self._last_progress = now

    def exceeded(self, stall_s: float, wall_s: float) -> str:
        """Return which limit a job has exceeded, as text; empty where it has not.

        Args:
            stall_s: Time without progress, in seconds.
            wall_s: Time for the whole job, in seconds; longer for long media.
        """
        now = self._clock()
        late_s, self._last_look = now - self._last_look, now
        if late_s > LATE_S:
            self._began += late_s
            self._last_progress = min(now, self._last_progress + late_s)
        if now - self._last_progress > stall_s:
            return f"no progress for {now - self._last_progress:.0f} s"
        limit_s = max(wall_s, WALL_FACTOR * self._duration_s)
        return f"not finished after {limit_s:.0f} s" if now - self._began > limit_s else ""
