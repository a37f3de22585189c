"""A camera or a video while it is seen: each frame with its faces, at once."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from analyzer.observations import persons
from analyzer.observations import table as tables
from analyzer.pipeline import observe
from analyzer.pipeline.components import Components
from analyzer.stages.decode import Medium
from analyzer.types import Frame, Observations

ATTRIBUTES = ("sex", "age")


@dataclass(frozen=True)
class LiveFrame:
    """A frame and its n faces."""

    frame: Frame
    faces: Observations
    """Its n rows."""
    labels: dict[str, tuple[str, ...]]
    """Head name -> label of each row, of those in `ATTRIBUTES`; empty where it is not known."""

    def captions(self) -> list[str]:
        """``3 f 40``: track, sex and age of each face."""
        columns = [map(str, self.faces.track_id.tolist()), *map(self.labels.get, ATTRIBUTES)]
        return [" ".join(filter(None, row)) for row in zip(*columns, strict=True)]


def watch(medium: Medium, components: Components) -> Iterator[LiveFrame]:
    """Yield each sampled frame as soon as its faces are known."""
    with closing(observe.observe(medium, components=components, size=1)) as steps:
        for frames, table in steps:
            for frame in frames:
                yield _seen(frame, tables.take(table, table.frame == frame.index), components)


def _seen(frame: Frame, faces: Observations, components: Components) -> LiveFrame:
    decoded = components.labeller.decode(faces.heads, persons.views(faces))
    unknown = ("",) * len(faces)
    labels = {
        head: tuple(decoded[head].label) if head in decoded else unknown for head in ATTRIBUTES
    }
    return LiveFrame(frame, faces, labels)


def boxes(seen: LiveFrame) -> list[tuple[int, ...]]:
    """The boxes as they stand in tables."""
    return [tuple(box) for box in np.rint(seen.faces.boxes).astype(int).tolist()]
