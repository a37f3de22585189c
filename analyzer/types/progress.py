"""Progress of an analysis, reported to a display or a server."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Progress of one step of an analysis."""

    stage: str
    """Name of the step: `observe`, `summarize`, `portraits`, or the name of an exporter."""
    done: float
    """Seconds of the medium, or number of items, that are done."""
    total: float | None
    """Seconds or items in total; `None` if unknown."""


ProgressHook = Callable[[Progress], None]
"""Function that is called often with the progress; it must return at once."""


def report_progress(
    progress: ProgressHook | None, step: str, done: float, total: float | None
) -> None:
    """Call a progress hook, if there is one.

    Args:
        progress: Hook, or `None`.
        step: Name of the step.
        done: Seconds or items that are done.
        total: Seconds or items in total; `None` if unknown.
    """
    if progress is not None:
        progress(Progress(stage=step, done=done, total=total))
