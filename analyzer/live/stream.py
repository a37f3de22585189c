"""Frames of a camera or a video, each with its faces as soon as they are known."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from analyzer.observations import persons, table
from analyzer.pipeline import observe
from analyzer.pipeline.components import Components
from analyzer.stages.decode import Medium
from analyzer.types import Frame, Observations

ATTRIBUTES = ("sex", "age")
"""Heads with labels in captions and tables."""


@dataclass(frozen=True)
class LiveFrame:
    """A frame and its n faces."""

    frame: Frame
    faces: Observations
    """Its n rows of the table."""
    labels: dict[str, tuple[str, ...]]
    """Head name, of those in `ATTRIBUTES` -> label of each row; empty where it is unknown."""

    def captions(self) -> list[str]:
        """Return track, sex and age of each face, such as `3 f 40`."""
        columns = [map(str, self.faces.track_id.tolist()), *map(self.labels.get, ATTRIBUTES)]
        return [" ".join(filter(None, row)) for row in zip(*columns, strict=True)]


def watch(medium: Medium, components: Components) -> Iterator[LiveFrame]:
    """Yield each sampled frame as soon as its faces are known.

    Args:
        medium: Open medium.
        components: Components of the analysis; without a shot detector, because that needs later
            pictures.

    Raises:
        InputError: The medium cannot be read.

    Example:
        with components.decoder.open("film.mp4") as medium:
            for live_frame in watch(medium, components):
                print(live_frame.captions())
    """
    with closing(observe.observe(medium, components=components, size=1)) as steps:
        for frames, observations in steps:
            for frame in frames:
                faces = table.take(observations, observations.frame == frame.index)
                yield labelled(frame, faces, components)


def labelled(frame: Frame, faces: Observations, components: Components) -> LiveFrame:
    """Return a frame with the labels of its faces.

    Args:
        frame: The frame.
        faces: Its n rows of the table.
        components: Components of the analysis.
    """
    decoded = components.labeller.decode(faces.heads, persons.views(faces))
    unknown = ("",) * len(faces)
    labels = {
        head: tuple(decoded[head].label) if head in decoded else unknown for head in ATTRIBUTES
    }
    return LiveFrame(frame, faces, labels)


def boxes(live_frame: LiveFrame) -> list[tuple[int, ...]]:
    """Return the boxes of a frame as in tables: rounded to pixels."""
    return [tuple(box) for box in np.rint(live_frame.faces.boxes).astype(int).tolist()]
