"""Table with one row per face of the medium's poster, and which character it is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from analyzer.files.text import number_cell, text_cell, write_table
from analyzer.imaging import boxes
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook

_HEADER = "face,bbox,detect_conf,person_id,name,distance,sex_label,age_label,area_ratio"


def create(*, runtime: Runtime) -> "PostersExporter":
    """Table with one row per face of the poster."""
    return PostersExporter()


class PostersExporter:
    """Writes the poster's faces; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".posters.csv"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; without a poster, or a face on it, the header only."""
        asked = ["ethnicity_label"] if _has_ethnicity(report) else []
        write_table(path, [*_HEADER.split(","), *asked], _face_rows(report))


def _has_ethnicity(report: MediaReport) -> bool:
    """Return whether there is a column of ethnicity: only where it was asked for."""
    return report.poster is not None and bool(report.poster.ethnicity)


def _face_rows(report: MediaReport) -> Iterator[list[Any]]:
    """Yield a row for each face; `person_id` is empty where no character matches."""
    poster = report.poster
    if poster is None:
        return
    names = {p.person_id: p.name or "" for p in report.persons}
    height, width = poster.image.shape[:2]
    shares = boxes.area(poster.boxes) / (width * height)
    for face, person in enumerate(poster.person_ids.tolist()):
        yield [
            face,
            str(tuple(np.rint(poster.boxes[face]).astype(int).tolist())),
            number_cell(float(poster.scores[face]), 4),
            "" if person < 0 else person,
            text_cell(names.get(person, "")),
            number_cell(float(poster.distances[face]), 4),
            poster.sex[face],
            poster.age[face],
            number_cell(float(shares[face]), 4),
            *poster.ethnicity[face : face + 1],
        ]
