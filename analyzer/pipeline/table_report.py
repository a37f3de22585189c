"""A report from a table of faces and its video: also from a table that inaFaceAnalyzer wrote.

So the boxes of a table become a subtitle, or any other file, without a new analysis. Such a report
has no embeddings: nothing can be clustered or named.
"""

import csv
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analyzer import registry
from analyzer._version import __version__
from analyzer.attributes.labeller import PLAIN
from analyzer.errors import InputError, UsageError
from analyzer.imaging.boxes import area
from analyzer.inference.runtime import Runtime
from analyzer.observations import persons
from analyzer.options import AnalysisOptions
from analyzer.types import (
    F64,
    I64,
    Decoded,
    MediaInfo,
    MediaReport,
    Observations,
    TrackPersons,
)
from ina_input.tables import CsvTable

_BOX = re.compile(r"[(\[]?\s*" + r"\s*,\s*".join([r"(-?\d+(?:\.\d*)?)"] * 4) + r"\s*[)\]]?")
_HEADS = ("sex", "age")
_QUALITIES = {"detect_conf": "", "track_conf": "", "sharpness": "1", "frontality": "1"}
"""Column -> value where the table does not have it."""
_MAX_WHOLE = 1 << 31
"""Largest number of a frame, track or person, and largest side of a box."""
_Row = Mapping[str, str]


def read(table: Path, medium: str) -> MediaReport:
    """Return the report of a video, made of a table of its faces.

    Args:
        table: Path of a csv with the columns `frame` and `bbox`; `time_s`, `face_id`, `person_id`,
            `name`, `detect_conf`, `sex_label`, `age_label` and their decision values and averages
            are used where they are.
        medium: Path of the video.

    Raises:
        InputError: The video cannot be read, or has fewer pictures than the table.
        UsageError: Not such a table.
    """
    rows = _rows(table)
    info, times = _times(rows, table, medium)
    order = np.argsort(times, kind="stable")
    rows, times = [rows[i] for i in order.tolist()], times[order]
    is_tracked = bool(rows) and "face_id" in rows[0]
    observations = _observations(rows, table, info, times)
    track_persons, row_persons = _owners(rows, observations)
    found = persons.by_screen_time(
        persons.person(number, observations, row_persons, track_persons, PLAIN)
        for number in np.unique(row_persons[row_persons >= 0]).tolist()
    )
    first = _first_rows(observations.track_id, track_persons.track_ids)
    names = _names(rows, row_persons)
    options = AnalysisOptions(engine="videotracking" if is_tracked else "video")
    return MediaReport(
        info=info,
        observations=observations,
        identities=track_persons,
        row_attributes=_attributes(rows, "", np.arange(len(rows))),
        track_attributes=_attributes(rows, "_avg" if is_tracked else "", first),
        persons=tuple(replace(p, name=names.get(p.person_id)) for p in found),
        shots=np.empty((0, 2)),
        provenance={
            "analyzer": __version__,
            "options": options.shared(),
            "options_digest": options.digest(),
        },
        notes=(f"made of the table {table.name}, without a new analysis",),
    )


def _rows(table: Path) -> list[_Row]:
    try:
        with CsvTable(table) as reader:
            if not {"frame", "bbox"} <= set(reader.columns):
                raise UsageError(f"{table}: no columns frame and bbox: give a table of faces")
            return [row for _, row in reader.rows()]
    except FileNotFoundError as error:
        raise UsageError(f"{table}: no such file; check the path") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{table}: not a table ({error}); write it as CSV in UTF-8") from error


def _times(rows: Sequence[_Row], table: Path, medium: str) -> tuple[MediaInfo, F64]:
    """Return facts of the video, and the time (N,) of each row."""
    decoder = registry.load("decode", "video", runtime=Runtime())
    with decoder.open(medium) as video:
        if all(row.get("time_s") for row in rows):
            return video.info, np.array([_number(row, "time_s", table) for row in rows], np.float64)
        frames = [_whole(row, "frame", table) for row in rows]
        wanted, time_of = set(frames), {}
        for frame in video.frames():
            if frame.index in wanted:
                time_of[frame.index] = frame.time_s
                if len(time_of) == len(wanted):
                    break
        missing = min(wanted - time_of.keys(), default=None)
        if missing is not None:
            raise InputError(
                f"{medium}: has no frame {missing}, which {table} has; give the video of this table"
            )
        return video.info, np.array([time_of[frame] for frame in frames], np.float64)


def _number(row: _Row, column: str, table: Path) -> float:
    number = _optional(row[column])
    if not math.isfinite(number):
        raise UsageError(f"{table}: {column} {row[column]!r} is no number")
    return number


def _whole(row: _Row, column: str, table: Path) -> int:
    """Return a number as a whole one, such as that of a frame, a track or a person."""
    number = _number(row, column, table)
    if abs(number) > _MAX_WHOLE:
        raise UsageError(f"{table}: {column} {row[column]!r} is larger than {_MAX_WHOLE}")
    return int(number)


def _observations(rows: Sequence[_Row], table: Path, info: MediaInfo, times: F64) -> Observations:
    n = len(rows)
    empty = Observations.empty(1, {})
    columns: dict[str, Any] = {
        name: np.array([_optional(row.get(name, otherwise)) for row in rows], np.float32)
        for name, otherwise in _QUALITIES.items()
    }
    boxes = np.array([_box(row, table) for row in rows], np.float32).reshape(n, 4)
    tracks = [_optional(row.get("face_id", "")) for row in rows]
    return Observations(
        **columns,
        frame=np.array([_whole(row, "frame", table) for row in rows], np.int64),
        time_s=times,
        duration_s=_durations(times, info),
        track_id=np.array([i if np.isnan(t) else int(t) for i, t in enumerate(tracks)], np.int64),
        boxes=boxes,
        picture_px=np.full(n, info.width_px * info.height_px, np.float32),
        face_px=np.sqrt(area(boxes)).astype(np.float32),
        heads={},
        embeddings=empty.embeddings,
        embedding_rows=empty.embedding_rows,
        span_s=np.array([0, info.duration_s], np.float64),
    )


def _optional(text: str) -> float:
    """Return a number; NaN where there is none that is finite."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _box(row: _Row, table: Path) -> list[float]:
    match = _BOX.fullmatch(row["bbox"].strip())
    if match is None:
        raise UsageError(f'{table}: bbox {row["bbox"]!r}: write "(x1, y1, x2, y2)"')
    box = [float(side) for side in match.groups()]
    if max(map(abs, box)) > _MAX_WHOLE:
        raise UsageError(f"{table}: bbox {row['bbox']!r} lies outside every picture")
    return box


def _durations(times: F64, info: MediaInfo) -> F64:
    """Return how long each row is shown: to the next time of the table, and across no gap."""
    different = np.unique(times)
    steps = np.diff(different)
    usual = float(np.median(steps)) if len(steps) else float(1 / (info.frame_rate or 25))
    until = np.minimum(np.append(steps, usual), usual)
    return until[np.searchsorted(different, times)]


def _owners(rows: Sequence[_Row], table: Observations) -> tuple[TrackPersons, I64]:
    """Return the persons of tracks and rows: those of the table, or else a person a track."""
    ids = np.unique(table.track_id)
    of_rows = np.array([_optional(row.get("person_id", "")) for row in rows], np.float64)
    if rows and "person_id" not in rows[0] and "face_id" in rows[0]:
        of_rows = np.searchsorted(ids, table.track_id).astype(np.float64)
    whole = np.where(np.isnan(of_rows), -1, of_rows).astype(np.int64)
    known = np.unique(whole[whole >= 0])
    # Numbers of persons are indices: those of a table that lost some stay as they are.
    count = int(known.max(initial=-1)) + 1
    of_tracks = whole[_first_rows(table.track_id, ids)]
    owners = TrackPersons(
        track_ids=ids, person_ids=of_tracks, centroids=np.zeros((count, 1), np.float32)
    )
    return owners, of_tracks[np.searchsorted(ids, table.track_id)]


def _first_rows(tracks: I64, ids: I64) -> I64:
    """Return the first row (T,) of each track."""
    _, first = np.unique(tracks, return_index=True)
    return first[: len(ids)]


def _names(rows: Sequence[_Row], owners: I64) -> dict[int, str]:
    return {
        owner: row["name"]
        for row, owner in zip(rows, owners.tolist(), strict=True)
        if row.get("name")
    }


def _attributes(rows: Sequence[_Row], suffix: str, at: I64) -> dict[str, Decoded]:
    """Return sex and age as the table has them, at some rows (k,)."""
    selected = [rows[i] for i in at.tolist()]
    return {
        head: Decoded(
            value=np.array(
                [_optional(row.get(f"{head}_decfunc{suffix}", "")) for row in selected], np.float32
            ),
            label=tuple(row.get(f"{head}_label{suffix}", "") for row in selected),
        )
        for head in _HEADS
        if rows and f"{head}_label{suffix}" in rows[0]
    }
