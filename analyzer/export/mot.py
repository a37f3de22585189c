"""Tracks in the text form of the MOT Challenge, for programs that score tracking.

Frames, tracks and pixels count from 1 there: a line is `frame + 1, face_id + 1, x1 + 1, y1 + 1`
of the csv, then width, height, confidence, and three fields for the third dimension.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import numpy as np

from analyzer.export import _rows
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "MotExporter":
    """MOT Challenge: a line per face and sampled frame."""
    return MotExporter()


class MotExporter:
    """Writes tracks; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".mot.txt"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the lines, in order of frame and track; without faces the file is empty.

        Raises:
            UsageError: The report is of stills.
            ResourceError: The file cannot be written.
        """
        _rows.require_video(report, "mot")
        with open_text(path) as stream:
            stream.writelines(_lines(report))


def _lines(report: MediaReport) -> Iterator[str]:
    table, boxes = report.observations, _rows.stored_boxes(report)
    confidence = np.where(np.isnan(table.detect_conf), table.track_conf, table.detect_conf)
    for row in np.lexsort((table.track_id, table.frame)).tolist():
        x1, y1, x2, y2 = boxes[row].tolist()
        yield (
            f"{table.frame[row] + 1},{table.track_id[row] + 1},{x1 + 1},{y1 + 1},"
            f"{x2 - x1},{y2 - y1},{np.nan_to_num(confidence[row], nan=1.0):.4f},-1,-1,-1\n"
        )
