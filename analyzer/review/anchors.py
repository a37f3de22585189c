"""Find the tracks that correction anchors refer to: by picture and box, and by the number named."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import PurePath

import numpy as np

from analyzer.imaging.boxes import iou
from analyzer.types import F32, F64, I64, MediaReport, Observations
from analyzer.types.corrections import Anchor

_COUNT = 5
_LEAST_IOU = 0.4
"""A box between two samples is interpolated, so a face that is the same one overlaps well."""
_ROUNDED_PX = 1.0
"""An anchor's box is rounded to whole pixels: so far may its sides be from those of its row."""
ANCHOR_TIME_TOLERANCE_S = 1e-3


class Anchors:
    """Faces of one report, looked up by anchors.

    Args:
        report: Report of a medium.
    """

    def __init__(self, report: MediaReport) -> None:
        self._table, self._stills = report.observations, report.info.stills
        self._ids, self._spans = _track_spans(self._table)

    def tracks_at(self, anchors: Sequence[Anchor], named: Collection[int]) -> list[int]:
        """Return the track of each of the anchors that has one.

        Where each anchor is the rounded box of a row of the named tracks, these are meant, and no
        other that lies in the same place. Else the track with a row at the anchor's time is
        preferred, then one with a sample that lasts until then, then one with a gap there, within
        its shot; only where no track fits, also one that begins with the next sample.

        Args:
            anchors: Faces of one person or track.
            named: Ids of the tracks with the number that the correction names.
        """
        moments = [anchor for anchor in map(self._timed, anchors) if anchor is not None]
        own = [self._named_at(anchor, named) for anchor in moments]
        if len(moments) == len(anchors) and all(track is not None for track in own):
            return [track for track in own if track is not None]
        found = [self._track_at(anchor) for anchor in moments]
        return [track for track in found if track is not None]

    def sample(self, tracks: Sequence[int]) -> tuple[Anchor, ...]:
        """Return a few faces from all over some tracks."""
        table = self._table
        rows = np.nonzero(np.isin(table.track_id, list(tracks)))[0]
        count = min(_COUNT, len(rows))
        chosen = rows[((np.arange(count) + 0.5) * len(rows) / max(count, 1)).astype(np.int64)]
        faces = [
            Anchor(time_s=round(time, 6), bbox=tuple(map(float, box)))
            for time, box in zip(
                table.time_s[chosen].tolist(), np.round(table.boxes[chosen]).tolist(), strict=True
            )
        ]
        if not self._stills:
            return tuple(faces)
        names = [self._name(int(frame)) for frame in table.frame[chosen]]
        return tuple(
            replace(face, time_s=0.0, picture=name) for face, name in zip(faces, names, strict=True)
        )

    def _name(self, still: int) -> str:
        """Return the end of a still's path that no other still has, the file name at least."""
        parts = PurePath(self._stills[still]).parts
        for count in range(1, len(parts)):
            same = sum(PurePath(path).parts[-count:] == parts[-count:] for path in self._stills)
            if same == 1:
                return str(PurePath(*parts[-count:]))
        return self._stills[still]

    def _timed(self, anchor: Anchor) -> Anchor | None:
        """Return an anchor by its time; by the number of the still that has most of its path."""
        if anchor.picture is None:
            return anchor
        if isinstance(anchor.picture, int):
            return replace(anchor, time_s=float(anchor.picture))
        shared = [_shared_tail(anchor.picture, path) for path in self._stills]
        if not any(shared):
            return None
        return replace(anchor, time_s=float(np.argmax(shared)))

    def _named_at(self, anchor: Anchor, named: Collection[int]) -> int | None:
        """Return the named track with a row at an anchor, if there is one."""
        rows = self._rows_at(anchor)
        rows = rows[np.isin(self._table.track_id[rows], list(named))]
        distance = np.abs(self._table.boxes[rows] - np.array(anchor.bbox)).max(axis=1)
        if not len(rows) or distance.min() > _ROUNDED_PX:
            return None
        return int(self._table.track_id[rows[distance.argmin()]])

    def _rows_at(self, anchor: Anchor) -> I64:
        """Return the rows of the picture of an anchor."""
        near = np.abs(self._table.time_s - anchor.time_s) <= ANCHOR_TIME_TOLERANCE_S
        return np.nonzero(near)[0]

    def _track_at(self, anchor: Anchor) -> int | None:
        """Return the track that is best where an anchor is."""
        table, rows = self._table, self._rows_at(anchor)
        best = _best(anchor, table.track_id[rows], table.boxes[rows])
        if best is not None:
            return best
        for candidates in self._candidates(anchor.time_s):
            boxes = [_interpolated_box(table, i, anchor.time_s) for i in candidates.tolist()]
            best = _best(anchor, candidates, np.array(boxes, np.float32).reshape(-1, 4))
            if best is not None:
                return best
        return None

    def _candidates(self, time_s: float) -> list[I64]:
        """Return the tracks that may be on screen at a time, the likeliest first."""
        before, first, end = self._spans.T
        shown = (first <= time_s) & (time_s < end)
        begun = self._table.time_s <= time_s + ANCHOR_TIME_TOLERANCE_S
        lasting = self._table.time_s + self._table.duration_s > time_s
        sampled = np.isin(self._ids, self._table.track_id[begun & lasting])
        soon = (before <= time_s) & (time_s < first)
        return [self._ids[mask] for mask in (shown & sampled, shown & ~sampled, soon)]


def _shared_tail(name: str, path: str) -> int:
    """Return how many parts at the end of two paths are equal."""
    pairs = zip(reversed(PurePath(name).parts), reversed(PurePath(path).parts), strict=False)
    count = 0
    for part, other in pairs:
        if part != other:
            break
        count += 1
    return count


def _best(anchor: Anchor, tracks: I64, boxes: F32) -> int | None:
    """Return the track of the box (n, 4) that overlaps an anchor best, and well."""
    overlaps = iou(np.array([anchor.bbox], np.float32), boxes)[0]
    if not len(overlaps) or overlaps.max() < _LEAST_IOU:
        return None
    return int(tracks[overlaps.argmax()])


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


def _interpolated_box(table: Observations, track: int, time_s: float) -> F32:
    """Return a track's box (4,) at a time, between its rows in a straight line."""
    rows = table.track_id == track
    times, boxes = table.time_s[rows], table.boxes[rows]
    sides = [np.interp(time_s, times, boxes[:, side]) for side in range(4)]
    return np.array(sides, np.float32)
