"""The function that a worker's child calls for each lease."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jobs.errors import JobFailed
from jobs.types import Lease, PartPaths

if TYPE_CHECKING:
    from jobs.worker.child import Report, Task

FACTORY = "ina_worker:make_task"
"""`module:function` of `make_task`; it stands in plan files of Slurm."""


def make_task(local: dict[str, Any]) -> Task:
    """Return the function that turns one medium into files.

    Args:
        local: `threads`, and the worker's own `batch_size`, `device` and `backend`, or None.
    """
    from analyzer.errors import AnalyzerError
    from ina.media_task import MediaTask

    media_task = MediaTask(local)

    def task(lease: Lease, parts: PartPaths, report: Report) -> Mapping[str, float]:
        try:
            return media_task.run(lease, parts, report)
        except AnalyzerError as error:
            # Wrong options stay wrong, as bad input does.
            raise JobFailed("input" if error.kind == "usage" else error.kind, str(error)) from error

    return task
