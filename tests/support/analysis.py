"""Analyses of media, as wholes and in shards, for tests of what comes out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analyzer.pipeline.components import Components
from analyzer.pipeline.conclude import conclude
from analyzer.pipeline.observe import observe_part
from analyzer.reports import part_file
from analyzer.types import MediaReport
from analyzer.workflows import analyze as workflow
from analyzer.workflows.observer import WholeObserver
from joblist.shard import Shard


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


def in_shards(path: Path, count: int, components: Components, folder: Path) -> MediaReport:
    """Analyse in shards that are written and read again."""
    parts = []
    for number in range(count):
        shard = Shard(number=number, count=count)
        part = observe_part(str(path), components=components, shard=shard)
        part_file.save(part, folder / "part", key="k")
        parts.append(part_file.load(folder / "part", key="k"))
    return conclude(parts, components=components)
