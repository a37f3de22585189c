"""Analyses of media as wholes, for tests of what comes out."""

from collections.abc import Sequence
from typing import Any

from analyzer.pipeline.components import Components
from analyzer.types import MediaReport
from analyzer.workflows import analyze as workflow
from analyzer.workflows.observer import WholeObserver


def analyze(
    path: str | Sequence[str], *, components: Components, progress: Any = None, **request: Any
) -> MediaReport:
    """Analyse one medium; `request`: further fields of `Request`."""
    return workflow.analyze(
        workflow.Request(path=path, **request),
        components=components,
        observer=WholeObserver(components),
        progress=progress,
    )
