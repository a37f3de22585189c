"""The main table, a row per face and sampled frame; its first columns are inaFaceAnalyzer's."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from analyzer.export import _rows
from analyzer.files.columns import Column
from analyzer.types import I64, Decoded, MediaReport

_HEADS = ("sex", "age")


def columns(report: MediaReport) -> Iterator[Column]:
    """Yield every column with its N values, in the order of the file."""
    tracking = report.provenance["options"]["engine"] == "videotracking"
    table = report.observations
    yield _frame_column(report)
    yield Column("bbox", "box", _rows.boxes(report).tolist())
    if tracking:
        yield Column("face_id", "integer", table.track_id.tolist())
    yield Column("detect_conf", "number", table.detect_conf.tolist())
    if tracking:
        yield Column("track_conf", "number", table.track_conf.tolist())
    yield from _attribute_columns(report.row_attributes, "", np.arange(len(table)))
    if tracking:
        yield from _attribute_columns(report.track_attributes, "_avg", report.row_tracks())
    times = table.time_s.tolist() if report.info.is_timed else [None] * len(table)
    yield Column("time_s", "number", times, 6)
    persons = [None if person < 0 else person for person in report.row_persons().tolist()]
    yield Column("person_id", "integer", persons)
    names = {person.person_id: person.name for person in report.persons}
    yield Column("name", "text", [names.get(person) for person in report.row_persons().tolist()])
    yield Column("sharpness", "number", table.sharpness.tolist())
    yield Column("frontality", "number", table.frontality.tolist())
    for head in sorted(set(report.row_attributes) - set(_HEADS)):
        yield Column(f"{head}_label", "text", report.row_attributes[head].label)


def _frame_column(report: MediaReport) -> Column:
    """Return the column of frame numbers; for stills, of their paths."""
    frames = report.observations.frame.tolist()
    if not report.info.is_timed:
        return Column("frame", "text", [report.info.stills[i] for i in frames])
    return Column("frame", "integer", frames)


def _attribute_columns(heads: Mapping[str, Decoded], suffix: str, rows: I64) -> Iterator[Column]:
    """Yield the columns of sex and age, with the values at `rows` (N,); empty without the head."""
    for head in _HEADS:
        values = heads[head].value.tolist() if head in heads else None
        yield Column(f"{head}_decfunc{suffix}", "number", _values_at(values, rows))
    sex, age = (_values_at(heads[head].label if head in heads else None, rows) for head in _HEADS)
    yield Column(f"sex_label{suffix}", "text", [label or None for label in sex])
    years = [float(label) if label else None for label in age]
    yield Column(f"age_label{suffix}", "number", years, 1)


def _values_at(values: Any, rows: I64) -> list[Any]:
    return [None] * len(rows) if values is None else [values[row] for row in rows.tolist()]
