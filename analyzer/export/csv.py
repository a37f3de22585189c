"""Table with one row per face and sampled frame; the first columns are inaFaceAnalyzer's."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from analyzer.runtime import Runtime
from analyzer.text import number_cell, text_cell, write_table
from analyzer.types import I64, Decoded, MediaReport, ProgressHook

_HEADS = ("sex", "age")


def create(*, runtime: Runtime) -> "CsvExporter":
    """Table with one row per face and sampled frame."""
    return CsvExporter()


class CsvExporter:
    """Writes the main table; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".csv"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; a medium without faces gives the header only."""
        columns = dict(_columns(report))
        write_table(path, list(columns), zip(*columns.values(), strict=True))


def _columns(report: MediaReport) -> Iterator[tuple[str, list[Any]]]:
    """Yield every column's name and its N cells, in the order of the file."""
    tracking = report.provenance["options"]["engine"] == "videotracking"
    observations = report.observations
    yield "frame", _frames(report)
    yield "bbox", _boxes(report)
    if tracking:
        yield "face_id", observations.track_id.tolist()
    yield "detect_conf", _numbers(observations.detect_conf)
    if tracking:
        yield "track_conf", _numbers(observations.track_conf)
    yield from _attributes(report.row_attributes, "", np.arange(len(observations)))
    if tracking:
        yield from _attributes(report.track_attributes, "_avg", report.row_tracks())
    still = report.info.kind == "image"
    yield "time_s", [""] * len(observations) if still else _numbers(observations.time_s, 6)
    yield "person_id", _persons(report)
    yield "name", _names(report)
    yield "sharpness", _numbers(observations.sharpness)
    yield "frontality", _numbers(observations.frontality)
    for head in sorted(set(report.row_attributes) - set(_HEADS)):
        yield f"{head}_label", list(report.row_attributes[head].label)


def _attributes(
    heads: Mapping[str, Decoded], suffix: str, rows: I64
) -> Iterator[tuple[str, list[Any]]]:
    """Yield the sex and age columns, taking ``rows`` (N,); empty where a head was not asked for."""
    for head in _HEADS:
        cells = [number_cell(v, 4) for v in heads[head].value.tolist()] if head in heads else None
        yield f"{head}_decfunc{suffix}", _take(cells, rows)
    for head in _HEADS:
        yield f"{head}_label{suffix}", _take(heads[head].label if head in heads else None, rows)


def _take(cells: Any, rows: I64) -> list[Any]:
    return [""] * len(rows) if cells is None else [cells[row] for row in rows.tolist()]


def _numbers(values: Any, digits: int = 4) -> list[str]:
    return [number_cell(value, digits) for value in values.tolist()]


def _frames(report: MediaReport) -> list[Any]:
    """Frame numbers; for stills the path stands in their place."""
    if report.info.kind == "image":
        return [text_cell(report.info.stills[i]) for i in report.observations.frame.tolist()]
    return report.observations.frame.tolist()


def _boxes(report: MediaReport) -> list[str]:
    """``(x1, y1, x2, y2)`` of integers."""
    return [str(tuple(box)) for box in np.rint(report.observations.boxes).astype(int).tolist()]


def _persons(report: MediaReport) -> list[Any]:
    return ["" if person < 0 else person for person in report.row_persons().tolist()]


def _names(report: MediaReport) -> list[str]:
    names = {person.person_id: text_cell(person.name or "") for person in report.persons}
    return [names.get(person, "") for person in report.row_persons().tolist()]
