"""Faces that a reviewer has drawn, as rows of the table: a box at every sample in between.

`_page/faces.js` does the same, so that the page shows what is made.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from analyzer.imaging import boxes
from analyzer.observations.table import interleave
from analyzer.review.anchors import ANCHOR_TIME_TOLERANCE_S
from analyzer.types import F64, I64, MediaInfo, Observations
from analyzer.types.corrections import Anchor

_USUAL_STEP_S = 0.2
"""Time between samples of a table without rows."""
_USUAL_RATE = 25.0


def insert(
    table: Observations, info: MediaInfo, faces: Sequence[Anchor], track: int
) -> tuple[Observations, I64]:
    """Add a face as a track.

    Samples that the table has get a row; where it has none, because no face was found, the drawn
    boxes get samples of their own, as far from each other as those of the table.

    Args:
        table: All N rows, in order of time.
        info: Facts of the medium.
        faces: Boxes of the face, in order of time.
        track: Id of the new track.

    Returns:
        The table with the new rows, and the row (N',) in `table` of each of its rows; -1 for the
        new ones.
    """
    rate = float(info.frame_rate or _USUAL_RATE)
    samples = np.array(list(_samples(table, faces, rate)), np.float64).reshape(-1, 2)
    times = samples[:, 0]
    drawn_s = [face.time_s for face in faces]
    sides = np.array([face.bbox for face in faces], np.float64)
    placed = np.stack([np.interp(times, drawn_s, sides[:, i]) for i in range(4)], axis=1)
    added = _rows(table, info, samples, placed.astype(np.float32), track, rate)
    return interleave(table, added)


def _samples(
    table: Observations, faces: Sequence[Anchor], rate: float
) -> Iterator[tuple[float, float]]:
    """Yield time and duration of each sample from the first to the last drawn box."""
    first, last = faces[0].time_s, faces[-1].time_s
    known, at = np.unique(table.time_s, return_index=True)
    ends = known + table.duration_s[at]
    lengths = np.sort(table.duration_s[at])
    step = float(lengths[len(lengths) // 2]) if len(lengths) else _USUAL_STEP_S
    tolerance = ANCHOR_TIME_TOLERANCE_S
    inside = (known <= last + tolerance) & (ends > first + tolerance)
    cursor = first
    for time, end in zip(known[inside].tolist(), ends[inside].tolist(), strict=True):
        yield from _fill(cursor, time, step, first, rate)
        yield time, end - time
        cursor = max(cursor, end)
    if cursor <= last + tolerance:
        later = known[known > last + tolerance]
        end = min(last + step, float(later[0]) if len(later) else np.inf)
        yield from _fill(cursor, last, step, first, rate)
        yield last, end - last


def _fill(
    start: float, end: float, step: float, first: float, rate: float
) -> Iterator[tuple[float, float]]:
    """Yield samples of a stretch without any, each at a picture's time."""
    if end <= start + ANCHOR_TIME_TOLERANCE_S:
        return
    count = max(1, math.floor((end - start) / step + 0.5))
    marks = start + (end - start) * np.arange(count) / count
    marks = np.unique(np.maximum(first + np.floor((marks - first) * rate + 0.5) / rate, start))
    marks = marks[marks < end - ANCHOR_TIME_TOLERANCE_S]
    yield from zip(marks.tolist(), np.diff(np.append(marks, end)).tolist(), strict=True)


def _rows(
    table: Observations,
    info: MediaInfo,
    samples: F64,
    placed: np.ndarray,
    track: int,
    rate: float,
) -> Observations:
    """Return the rows of a track alone: neither detected nor described."""
    count = len(samples)
    unknown, nothing = np.full(count, np.nan, np.float32), np.zeros(count, np.float32)
    picture = table.picture_px[0] if len(table) else info.width_px * info.height_px
    sides = np.sqrt(boxes.area(placed)).astype(np.float32)
    return replace(
        table,
        frame=_frames(table, samples[:, 0], rate),
        time_s=samples[:, 0].copy(),
        duration_s=samples[:, 1].copy(),
        track_id=np.full(count, track, np.int64),
        boxes=placed,
        picture_px=np.full(count, picture, np.float32),
        detect_conf=unknown,
        track_conf=unknown,
        sharpness=nothing,
        frontality=nothing,
        face_px=sides,
        inside=unknown,
        recognisability=unknown,
        too_young=unknown,
        heads={h: np.full((count, v.shape[1]), np.nan, np.float32) for h, v in table.heads.items()},
        embeddings=table.embeddings[:0],
        embedding_rows=table.embedding_rows[:0],
    )


def _frames(table: Observations, times: F64, rate: float) -> I64:
    """Return the frame number of each time, counted from the nearest sample."""
    known, at = np.unique(table.time_s, return_index=True)
    if not len(known):
        return np.rint(times * rate).astype(np.int64)
    after = np.clip(np.searchsorted(known, times), 0, len(known) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(times - known[before] < known[after] - times, before, after)
    frames = table.frame[at][nearest] + np.rint((times - known[nearest]) * rate)
    return np.maximum(frames, 0).astype(np.int64)
