"""Optical flow of points on each face between detections: cheap with many faces.

Kalal et al., "Forward-Backward Error: Automatic Detection of Tracking Failures", ICPR 2010
(median flow), on pictures scaled down, all faces in one call.
"""

import cv2
import numpy as np

from analyzer import geometry
from analyzer.errors import UsageError
from analyzer.runtime import Runtime
from analyzer.track._live import LiveTrack, LiveTracks
from analyzer.types import F32, U8, Detections, Faces, Frame

_GRID = 6
_INSIDE = 0.8
_WINDOW = (15, 15)
_LEVELS = 3


def create(
    *, size: int = 640, min_iou: float = 0.3, min_points: float = 0.3, runtime: Runtime
) -> "FlowTracker":
    """Optical flow; min_points: share of a face's points that must be found again."""
    if not 0 < min_iou <= 1:
        raise UsageError(f"flow: min_iou={min_iou} must be above 0 and at most 1")
    return FlowTracker(size, min_iou, min_points)


class FlowTracker:
    """Follows faces; see `analyzer.track.Tracker`."""

    def __init__(self, size: int, min_iou: float, min_points: float) -> None:
        self._live = LiveTracks(min_iou)
        self._size, self._min_points = size, min_points
        self._before: U8 | None = None

    def update(self, frame: Frame, detections: Detections | None) -> Faces:
        """Take the next frame; see `analyzer.track.Tracker`."""
        height, width = frame.image.shape[:2]
        ratio = min(1.0, self._size / max(height, width))
        grey = cv2.cvtColor(_scaled(frame.image, ratio), cv2.COLOR_RGB2GRAY)
        if self._before is not None and self._live.tracks:
            self._follow(self._before, grey, ratio, width, height)
        self._before = grey
        if detections is None:
            return self._live.coasting()
        return self._live.corrected(detections, lambda _: None)

    def _follow(self, before: U8, now: U8, ratio: float, width: int, height: int) -> None:
        """Move every face as the points on it have moved; lose those whose points are gone."""
        tracks = self._live.tracks
        points = np.stack([_grid(t.box * np.float32(ratio)) for t in tracks])  # (n, G, 2)
        there, found = _flow(before, now, points)
        back, found_back = _flow(now, before, there)
        error = np.linalg.norm(back - points, axis=2)  # (n, G)
        good = found & found_back & (error <= 1.0)
        for track, a, b, ok in zip(tracks, points, there, good, strict=True):
            track.conf = float(ok.mean())
            if track.conf >= self._min_points:
                moved = _moved(track.box, a[ok] / ratio, b[ok] / ratio)
                track.box = geometry.clip(moved[None], width, height)[0]
        self._live.tracks = [t for t in tracks if self._is_found(t)]

    def _is_found(self, track: LiveTrack) -> bool:
        return track.conf >= self._min_points and bool(geometry.area(track.box[None])[0] > 0)


def _scaled(image: U8, ratio: float) -> U8:
    if ratio == 1:
        return image
    # Nearest: the flow is of points that move by pixels, and this is four times as quick.
    return np.asarray(
        cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_NEAREST), np.uint8
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
