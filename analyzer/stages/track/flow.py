"""Optical flow of points on each face between detections: cheap with many faces.

Kalal et al., "Forward-Backward Error: Automatic Detection of Tracking Failures", ICPR 2010
(median flow), on pictures scaled down, all faces in one call. A face that a detection shows for
the first time is followed backwards too, to the detection before; one that was lost in between,
as in the dark, and is found again where it was, is put on the straight line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from analyzer.errors import UsageError
from analyzer.imaging import boxes as geometry
from analyzer.inference.runtime import Runtime
from analyzer.stages.track._live import LiveTrack, LiveTracks
from analyzer.types import F32, I64, U8, Detections, Faces, Frame

_GRID = 6
_INSIDE = 0.8
_WINDOW = (15, 15)
_LEVELS = 3


def create(
    *,
    size: int = 640,
    min_iou: float = 0.3,
    min_points: float = 0.3,
    patience: int = 1,
    runtime: Runtime,
) -> "FlowTracker":
    """Optical flow; min_points: share of a face's points that must be found again."""
    if not 0 < min_iou <= 1:
        raise UsageError(f"flow: min_iou={min_iou} must be above 0 and at most 1")
    return FlowTracker(size, min_iou, min_points, patience)


@dataclass(frozen=True)
class _View:
    """A picture as the flow sees it."""

    grey: U8
    ratio: float
    """Pixels of it a source pixel."""
    limit: F32
    """(4,) right and lower border of the source picture, twice."""
    cut: bool

    @classmethod
    def of(cls, frame: Frame, size: int) -> "_View":
        height, width = frame.image.shape[:2]
        ratio = min(1.0, size / max(height, width))
        image = frame.image
        if ratio < 1:
            # Nearest: four times as quick, and the flow is of moves by pixels.
            image = cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_NEAREST)
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        limit = np.array([width, height, width, height], np.float32)
        return cls(np.asarray(grey, np.uint8), ratio, limit, frame.cut)


class FlowTracker:
    """Follows faces; see `analyzer.stages.track.Tracker`."""

    def __init__(self, size: int, min_iou: float, min_points: float, patience: int) -> None:
        self._live = LiveTracks(min_iou, patience)
        self._size, self._min_iou, self._min_points = size, min_iou, min_points
        self._before: _View | None = None
        self._lost: list[LiveTrack] = []
        """Tracks that could not be followed since the last detection, where they were."""
        self._last: tuple[float, Faces] | None = None
        """The last picture's time and faces."""

    def track(
        self, frames: Sequence[Frame], detections: Sequence[Detections | None]
    ) -> list[Faces]:
        """Take the next frames; see `analyzer.stages.track.Tracker`."""
        views = [_View.of(frame, self._size) for frame in frames]
        faces = [self._step(v, d) for v, d in zip(views, detections, strict=True)]
        faces = self._fill([frame.time_s for frame in frames], faces)
        self._last = frames[-1].time_s, faces[-1]
        for at in range(len(faces) - 1, 0, -1):
            if detections[at - 1] is None and not views[at].cut:
                faces[at - 1] = self._look_back(views, faces, at)
        return faces

    def _step(self, view: _View, detections: Detections | None) -> Faces:
        if view.cut or self._before is None:
            self._live.tracks, self._lost = [], []
        elif self._live.tracks:
            self._coast(self._before, view)
        self._before = view
        if detections is not None:
            self._live.tracks, self._lost = self._live.tracks + self._lost, []
            self._live.correct(detections, lambda _: None)
        return self._live.faces()

    def _coast(self, before: _View, now: _View) -> None:
        """Move all tracks on; those that cannot be followed stay where they were, as lost."""
        tracks, self._live.tracks = self._live.tracks, []
        boxes = np.array([t.box for t in tracks], np.float32)
        for track, box, conf in zip(tracks, *self._follow(before, now, boxes), strict=True):
            lost = conf < self._min_points
            track.coast(track.box if lost else box, float(conf))
            (self._lost if lost else self._live.tracks).append(track)

    def _fill(self, times: Sequence[float], faces: Sequence[Faces]) -> list[Faces]:
        """Put faces that were lost and found again where they must have been in between."""
        before = [] if self._last is None else [self._last]
        shown = [*before, *zip(times, faces, strict=True)]
        seen: dict[int, int] = {}
        for at, (end, now) in enumerate(shown):
            for i, track_id in enumerate(now.track_id.tolist()):
                known = seen.get(track_id, at)
                start, then = shown[known]
                first = then.boxes[then.track_id == track_id]
                sure = geometry.iou(first, now.boxes[i : i + 1])[0]
                for between in range(known + 1, at):
                    time_s, there = shown[between]
                    share = np.float32((time_s - start) / (end - start))
                    box = first + (now.boxes[i] - first) * share
                    shown[between] = time_s, _more(there, box, now.track_id[i : i + 1], sure)
                seen[track_id] = at
        return [found for _, found in shown[len(before) :]]

    def _look_back(self, views: Sequence[_View], faces: Sequence[Faces], at: int) -> Faces:
        """The faces of the frame before ``at``, with those that only begin at ``at`` so far."""
        now, before = faces[at], faces[at - 1]
        fresh = ~np.isin(now.track_id, before.track_id)
        boxes, conf = self._follow(views[at], views[at - 1], now.boxes[fresh])
        taken = geometry.iou(boxes, before.boxes).max(axis=1, initial=0) >= self._min_iou
        good = (conf >= self._min_points) & ~taken
        return _more(before, boxes[good], now.track_id[fresh][good], conf[good])

    def _follow(self, a: _View, b: _View, boxes: F32) -> tuple[F32, F32]:
        """Move boxes from one picture to another as the points on them move.

        Returns:
            Boxes (n, 4), and the share of each one's points that were found again (n,).
        """
        if not len(boxes):
            return boxes, np.empty(0, np.float32)
        points = np.stack([_grid(box * np.float32(a.ratio)) for box in boxes])  # (n, G, 2)
        there, found = _flow(a.grey, b.grey, points)
        back, found_back = _flow(b.grey, a.grey, there)
        error = np.linalg.norm(back - points, axis=2)  # (n, G)
        good = found & found_back & (error <= 1.0)
        moved = [
            _moved(box, p[ok] / a.ratio, q[ok] / a.ratio) if ok.any() else box
            for box, p, q, ok in zip(boxes, points, there, good, strict=True)
        ]
        placed = np.clip(np.array(moved, np.float32), 0, b.limit)
        inside = geometry.area(placed) > 0
        return placed, good.mean(axis=1).astype(np.float32) * inside


def _more(faces: Faces, boxes: F32, track_id: I64, conf: F32) -> Faces:
    """Faces, and n that the detector has not seen: boxes (n, 4), track_id (n,), conf (n,)."""
    none = np.full(len(boxes), np.nan, np.float32)
    assert faces.landmarks is not None
    return Faces(
        boxes=np.concatenate([faces.boxes, boxes]),
        landmarks=np.concatenate([faces.landmarks, np.tile(none[:, None, None], (1, 5, 2))]),
        track_id=np.concatenate([faces.track_id, track_id]),
        detect_conf=np.concatenate([faces.detect_conf, none]),
        track_conf=np.concatenate([faces.track_conf, conf]),
    )


def _grid(box: F32) -> F32:
    """Points on the inner part of a box: (G, 2)."""
    low, high = geometry.scale(box[None], _INSIDE)[0].reshape(2, 2)
    steps = np.linspace(0, 1, _GRID, dtype=np.float32)[:, None] * (high - low) + low
    x, y = np.meshgrid(steps[:, 0], steps[:, 1])
    return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)


def _flow(a: U8, b: U8, points: F32) -> tuple[F32, "np.ndarray"]:
    """Where points (n, G, 2) of one picture are in another, and which were found (n, G)."""
    flat = points.reshape(-1, 1, 2)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        a, b, flat, np.empty_like(flat), winSize=_WINDOW, maxLevel=_LEVELS
    )
    return moved.reshape(points.shape), found.reshape(points.shape[:2]).astype(bool)


def _moved(box: F32, before: F32, now: F32) -> F32:
    """Shift a box by the median move of its points, and scale it by their median spread.

    Args:
        box: (4,).
        before: (k, 2) points.
        now: (k, 2) the same points.
    """
    shift = np.median(now - before, axis=0)
    spread_before = np.linalg.norm(before - np.median(before, axis=0), axis=1)
    spread_now = np.linalg.norm(now - np.median(now, axis=0), axis=1)
    far = spread_before > 1
    factor = float(np.median(spread_now[far] / spread_before[far])) if far.any() else 1.0
    return geometry.scale((box + np.tile(shift, 2))[None], factor)[0].astype(np.float32)
