"""Progress of a job, from the pipeline to the server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from analyzer.types import Progress
    from jobs.worker.child import Report


class ProgressReporter:
    """A progress hook of the pipeline that reports to the server.

    Args:
        report: Function that sends a report.
        long_steps: Steps of the job that take long, in order; each counts for the same share of it.
        device: Device of the networks, for the display.
    """

    def __init__(self, report: Report, *, long_steps: Sequence[str], device: str = "") -> None:
        self.duration_s = 0.0
        """Duration of the medium, as far as it is known. The time that a job may take follows from
        it: a container may state too little, and a shard knows its own part only."""
        self._report = report
        self._long_steps = long_steps
        self._device = device
        self._started = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        """Report one step."""
        # Plain numbers: those of an array cannot be sent.
        done, total = float(progress.done), float(progress.total or 0)
        if progress.stage in ("seek", "observe"):
            self.duration_s = max(self.duration_s, total, done)
        values: dict[str, Any] = {
            "stage": progress.stage,
            "duration_s": self.duration_s,
            "device": self._device,
        }
        if total:
            values["fraction"] = min(1.0, done / total)
            if progress.stage in self._long_steps:
                before = self._long_steps.index(progress.stage)
                values["done"] = (before + values["fraction"]) / len(self._long_steps)
        if progress.stage == "observe":
            values["media_s"] = done
            values["speed"] = done / max(1e-3, time.monotonic() - self._started)
        self._report(values)
