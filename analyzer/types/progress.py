"""Progress of the pipeline, as it is reported to a display or a server."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """One step of the pipeline, as it is reported while it works."""

    stage: str
    """`observe`, `summarize`, `portraits`, or the name of an exporter."""
    done: float
    """Seconds of the medium (or items) done."""
    total: float | None
    """Number of units in all; `None` where it is unknown."""


ProgressHook = Callable[[Progress], None]
"""Called often; must return at once."""


def report_progress(
    progress: ProgressHook | None, stage: str, done: float, total: float | None
) -> None:
    """Report a step to a hook, if there is one; see `Progress`."""
    if progress is not None:
        progress(Progress(stage=stage, done=done, total=total))
