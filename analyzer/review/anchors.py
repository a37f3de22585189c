"""Find the tracks that correction anchors refer to, by time and box overlap."""

from collections.abc import Sequence

import numpy as np

from analyzer.imaging.boxes import iou
from analyzer.types import F32, F64, I64, Observations
from analyzer.types.corrections import Anchor

_COUNT = 5
_LEAST_IOU = 0.4
"""A box between two samples is interpolated, so a face that is the same one overlaps well."""
ANCHOR_TIME_TOLERANCE_S = 1e-3


def tracks_at(table: Observations, anchors: Sequence[Anchor]) -> list[int]:
    """Return the track of each of the anchors that has one.

    A track is on screen from its first row to the end of its last, within its shot; only where no
    track fits, also since the sample before it.
    """
    ids, spans = _track_spans(table)
    tracks = []
    for anchor in anchors:
        track = _track_at(table, anchor, ids, spans)
        if track is not None:
            tracks.append(track)
    return tracks


def sample_anchors(table: Observations, tracks: Sequence[int]) -> tuple[Anchor, ...]:
    """Return a few faces from all over some tracks."""
    rows = np.nonzero(np.isin(table.track_id, list(tracks)))[0]
    count = min(_COUNT, len(rows))
    chosen = rows[((np.arange(count) + 0.5) * len(rows) / max(count, 1)).astype(np.int64)]
    return tuple(
        Anchor(time_s=round(time, 6), bbox=tuple(map(float, box)))
        for time, box in zip(
            table.time_s[chosen].tolist(), np.round(table.boxes[chosen]).tolist(), strict=True
        )
    )


def _track_spans(table: Observations) -> tuple[I64, F64]:
    """Return the time before, the first row and the end of each of T tracks: (T, 3)."""
    ids, at = np.unique(table.track_id, return_inverse=True)
    spans = np.empty((len(ids), 3))
    spans[:, :2], spans[:, 2] = np.inf, -np.inf
    # The cut before a row, and the one after it.
    edges = np.array([-np.inf, *table.cuts, np.inf])
    shot = np.searchsorted(table.cuts, table.time_s, side="right")
    before = np.maximum(table.time_s - table.duration_s, edges[shot])
    after = np.minimum(table.time_s + table.duration_s, edges[shot + 1])
    np.minimum.at(spans[:, 0], at, before)
    np.minimum.at(spans[:, 1], at, table.time_s - ANCHOR_TIME_TOLERANCE_S)
    np.maximum.at(spans[:, 2], at, after)
    return ids.astype(np.int64), spans


def _track_at(table: Observations, anchor: Anchor, ids: I64, spans: F64) -> int | None:
    """Return the track that is best where an anchor is."""
    box = np.array([anchor.bbox], np.float32)
    until = anchor.time_s < spans[:, 2]
    for start in (1, 0):
        candidates = ids[(spans[:, start] <= anchor.time_s) & until]
        boxes = [_interpolated_box(table, track, anchor.time_s) for track in candidates.tolist()]
        overlaps = iou(box, np.array(boxes, np.float32).reshape(-1, 4))[0]
        if len(overlaps) and overlaps.max() >= _LEAST_IOU:
            return int(candidates[overlaps.argmax()])
    return None


def _interpolated_box(table: Observations, track: int, time_s: float) -> F32:
    """Return a track's box (4,) at a time, between its rows in a straight line."""
    rows = table.track_id == track
    times, boxes = table.time_s[rows], table.boxes[rows]
    sides = [np.interp(time_s, times, boxes[:, side]) for side in range(4)]
    return np.array(sides, np.float32)
