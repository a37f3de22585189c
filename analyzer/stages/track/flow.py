"""Optical flow of points on each face between detections: cheap with many faces.

Kalal et al., "Forward-Backward Error: Automatic Detection of Tracking Failures", ICPR 2010
(median flow), on pictures scaled down, all faces in one call. A face that is detected for the first
time is followed backwards too, to the detection before. A face that was lost in between, as in the
dark, and is found again near its old position, is put on the straight line between both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from analyzer.errors import UsageError
from analyzer.imaging.boxes import clip, iou, scale, visible
from analyzer.inference.runtime import Runtime
from analyzer.stages.track._live import LiveTrack, LiveTracks
from analyzer.types import F32, I64, U8, Detections, Faces, Frame

_GRID = 6
"""Number of points on each side of a face's grid."""
_GRID_SHARE = 0.8
"""Side of the grid, as a share of the box."""
_MAX_ERROR_PX = 1.0
"""Distance from its start within which a point must return on the way back."""
_WINDOW = (15, 15)
"""Pixels around a point that the flow compares."""
_LEVELS = 3
"""Number of times that the flow halves the picture."""


def create(
    *,
    size: int = 640,
    min_iou: float = 0.3,
    min_points: float = 0.3,
    patience: int = 1,
    runtime: Runtime,
) -> "FlowTracker":
    """Return a tracker by optical flow.

    Args:
        size: Longer side in pixels to which pictures are scaled down.
        min_iou: Least IoU of a track with the detection that continues it.
        min_points: Share of a face's points below which it counts as lost.
        patience: Number of detections in succession that may miss a face.
        runtime: Not used.

    Raises:
        UsageError: An IoU out of range.
    """
    if not 0 < min_iou <= 1:
        raise UsageError(f"flow: min_iou={min_iou} must be above 0 and at most 1")
    return FlowTracker(size, min_iou, min_points, patience)


@dataclass(frozen=True)
class _FlowPicture:
    """A picture as the flow sees it."""

    grey: U8
    """(h, w)."""
    ratio: float
    """Pixels of `grey` for each source pixel."""
    size: tuple[int, int]
    """Width and height of the source picture, pixels."""
    cut: bool
    """Whether it is the first of a new shot."""

    @classmethod
    def of(cls, frame: Frame, size: int) -> "_FlowPicture":
        """Scale a frame down to a longer side of `size` pixels, in grey."""
        height, width = frame.image.shape[:2]
        ratio = min(1.0, size / max(height, width))
        image = frame.image
        if ratio < 1:
            # Nearest is four times as quick, and exact enough for moves by whole pixels.
            image = cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_NEAREST)
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return cls(np.asarray(grey, np.uint8), ratio, (width, height), frame.cut)


class FlowTracker:
    """Follows faces; see `analyzer.stages.track.Tracker`."""

    def __init__(self, size: int, min_iou: float, min_points: float, patience: int) -> None:
        self._live = LiveTracks(min_iou, patience)
        self._size, self._min_iou, self._min_points = size, min_iou, min_points
        self._before: _FlowPicture | None = None
        self._lost: list[LiveTrack] = []
        """Tracks that could not be followed since the last detection, at their last positions."""
        self._last: tuple[float, Faces] | None = None
        """Time and faces of the last picture."""

    def track(
        self, frames: Sequence[Frame], detections: Sequence[Detections | None]
    ) -> list[Faces]:
        """Take the next frames; see `analyzer.stages.track.Tracker`."""
        pictures = [_FlowPicture.of(frame, self._size) for frame in frames]
        faces = [self._step(p, d) for p, d in zip(pictures, detections, strict=True)]
        faces = self._fill_gaps([frame.time_s for frame in frames], faces)
        self._last = frames[-1].time_s, faces[-1]
        for i in range(len(faces) - 1, 0, -1):
            if detections[i - 1] is None and not pictures[i].cut:
                faces[i - 1] = self._look_back(pictures, faces, i)
        return faces

    def _step(self, picture: _FlowPicture, detections: Detections | None) -> Faces:
        if picture.cut or self._before is None:
            self._live.tracks, self._lost = [], []
        elif self._live.tracks:
            self._coast(self._before, picture)
        self._before = picture
        if detections is not None:
            self._live.tracks, self._lost = self._live.tracks + self._lost, []
            self._live.correct(detections, lambda _: None)
        return self._live.faces()

    def _coast(self, before: _FlowPicture, now: _FlowPicture) -> None:
        """Move all tracks on; those that cannot be followed stay where they were, as lost."""
        tracks, self._live.tracks = self._live.tracks, []
        boxes = np.array([t.box for t in tracks], np.float32)
        for track, box, conf in zip(tracks, *self._follow(before, now, boxes), strict=True):
            lost = not conf or conf < self._min_points
            track.coast(track.box if lost else box, float(conf))
            (self._lost if lost else self._live.tracks).append(track)

    def _fill_gaps(self, times: Sequence[float], faces: Sequence[Faces]) -> list[Faces]:
        """Add faces that were lost and found again to the pictures in between.

        Args:
            times: Time of each picture in seconds.
            faces: Faces of each picture.

        Returns:
            Faces of each picture, with those that were lost on the straight line between the
            positions before and after.
        """
        before = [] if self._last is None else [self._last]
        timed = [*before, *zip(times, faces, strict=True)]
        last_shown: dict[int, int] = {}  # track -> number of the last picture that shows it
        for number, (end_s, now) in enumerate(timed):
            for i, track_id in enumerate(now.track_id.tolist()):
                start = last_shown.get(track_id, number)
                start_s, then = timed[start]
                first = then.boxes[then.track_id == track_id]
                conf = iou(first, now.boxes[i : i + 1])[0]
                for between in range(start + 1, number):
                    time_s, others = timed[between]
                    passed, span = time_s - start_s, end_s - start_s
                    if span <= 0:  # pictures of one time
                        passed, span = between - start, number - start
                    share = np.float32(passed / span)
                    box = first + (now.boxes[i] - first) * share
                    filled = _with_undetected(others, box, now.track_id[i : i + 1], conf)
                    timed[between] = time_s, filled
                last_shown[track_id] = number
        return [filled for _, filled in timed[len(before) :]]

    def _look_back(self, pictures: Sequence[_FlowPicture], faces: Sequence[Faces], i: int) -> Faces:
        """Return the faces of picture `i - 1`, with those that are first detected in picture `i`.

        Args:
            pictures: All pictures of a call.
            faces: Faces of each picture.
            i: Number of a picture, from 1.
        """
        now, before = faces[i], faces[i - 1]
        fresh = ~np.isin(now.track_id, before.track_id)
        boxes, conf = self._follow(pictures[i], pictures[i - 1], now.boxes[fresh])
        taken = iou(boxes, before.boxes).max(axis=1, initial=0) >= self._min_iou
        good = (conf > 0) & (conf >= self._min_points) & ~taken
        return _with_undetected(before, boxes[good], now.track_id[fresh][good], conf[good])

    def _follow(self, picture: _FlowPicture, other: _FlowPicture, boxes: F32) -> tuple[F32, F32]:
        """Move boxes from one picture to another as the points on them move.

        Args:
            picture: Picture in which the boxes lie.
            other: Picture in which they are looked for.
            boxes: (n, 4) float32, pixels.

        Returns:
            Boxes (n, 4), and the share of each one's points that were found again (n,), 0 for
            those that have left the picture.
        """
        if not len(boxes):
            return boxes, np.empty(0, np.float32)
        points = np.stack([_grid(box * np.float32(picture.ratio)) for box in boxes])  # (n, G, 2)
        moved, is_moved = _flow(picture.grey, other.grey, points)
        back, is_back = _flow(other.grey, picture.grey, moved)
        error = np.linalg.norm(back - points, axis=2)  # (n, G)
        good = is_moved & is_back & (error <= _MAX_ERROR_PX)
        placed = [
            _moved_box(box, p[ok] / picture.ratio, q[ok] / picture.ratio) if ok.any() else box
            for box, p, q, ok in zip(boxes, points, moved, good, strict=True)
        ]
        clipped = clip(np.array(placed, np.float32), *other.size)
        return clipped, good.mean(axis=1).astype(np.float32) * visible(clipped)


def _with_undetected(faces: Faces, boxes: F32, track_id: I64, conf: F32) -> Faces:
    """Return faces together with n others that the detector did not find.

    Args:
        faces: Faces of a picture.
        boxes: (n, 4) float32, boxes of the others.
        track_id: (n,) int64, their tracks.
        conf: (n,) float32, confidence of the tracker in them.
    """
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
    """Return points on the inner part of a box (4,): (G, 2)."""
    low, high = scale(box[None], _GRID_SHARE)[0].reshape(2, 2)
    steps = np.linspace(0, 1, _GRID, dtype=np.float32)[:, None] * (high - low) + low
    x, y = np.meshgrid(steps[:, 0], steps[:, 1])
    return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)


def _flow(grey: U8, other: U8, points: F32) -> tuple[F32, "np.ndarray"]:
    """Find points of one picture in another.

    Args:
        grey: (h, w) uint8.
        other: (h, w) uint8.
        points: (n, G, 2) float32, pixels.

    Returns:
        The points (n, G, 2) in the other picture, and which of them were found (n, G).
    """
    flat = points.reshape(-1, 1, 2)
    moved, status, _ = cv2.calcOpticalFlowPyrLK(
        grey, other, flat, np.empty_like(flat), winSize=_WINDOW, maxLevel=_LEVELS
    )
    return moved.reshape(points.shape), status.reshape(points.shape[:2]).astype(bool)


def _moved_box(box: F32, before: F32, now: F32) -> F32:
    """Shift a box by the median move of its points, and scale it by their median spread.

    Args:
        box: (4,) float32.
        before: (k, 2) float32, points.
        now: (k, 2) float32, the same points after the move.
    """
    shift = np.median(now - before, axis=0)
    spread_before = np.linalg.norm(before - np.median(before, axis=0), axis=1)
    spread_now = np.linalg.norm(now - np.median(now, axis=0), axis=1)
    far = spread_before > 1
    factor = float(np.median(spread_now[far] / spread_before[far])) if far.any() else 1.0
    return scale((box + np.tile(shift, 2))[None], factor)[0].astype(np.float32)
