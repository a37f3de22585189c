"""Parts of a live session: its frames, and the table that it writes."""

import csv
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from analyzer.files.text import number_cell, open_text
from analyzer.live.stream import LiveFrame, boxes, watch
from analyzer.pipeline.components import load_components

__all__ = ["load_components", "open_table", "watch"]

_HEADER = ("frame", "bbox", "face_id", "detect_conf", "sex_label", "age_label", "time_s")
"""Columns of the table."""


@contextmanager
def open_table(path: Path) -> Iterator[Callable[[LiveFrame], None]]:
    """Open a table that is whole after each frame.

    Args:
        path: Path of the table.

    Yields:
        A function that writes the rows of a frame.
    """
    with open_text(path) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(_HEADER)

        def write(live_frame: LiveFrame) -> None:
            writer.writerows(_rows(live_frame))
            stream.flush()

        yield write


def _rows(live_frame: LiveFrame) -> Iterator[Sequence[object]]:
    """Yield a row of the table for each face of a frame."""
    frame, faces = live_frame.frame, live_frame.faces
    sexes, ages = live_frame.labels["sex"], live_frame.labels["age"]
    time_s = number_cell(frame.time_s, 6)
    for i, (box, track) in enumerate(zip(boxes(live_frame), faces.track_id.tolist(), strict=True)):
        confidence = number_cell(float(faces.detect_conf[i]), 4)
        yield frame.index, str(box), track, confidence, sexes[i], ages[i], time_s
