"""dlib's correlation tracker between detections: scale and place of each face, picture by picture.

Danelljan et al., "Accurate Scale Estimation for Robust Visual Tracking", BMVC 2014.
"""

from dataclasses import dataclass
from typing import Any

import dlib
import numpy as np

from analyzer import geometry
from analyzer.errors import UsageError
from analyzer.runtime import Runtime
from analyzer.track._match import match
from analyzer.types import F32, U8, Detections, Faces, Frame

_GOOD_PEAK = 20.0


def create(
    *, min_iou: float = 0.3, min_peak: float = 7.0, runtime: Runtime
) -> "CorrelationTracker":
    """dlib's tracker; min_peak: peak to side-lobe ratio below which a face counts as lost."""
    if not 0 < min_iou <= 1:
        raise UsageError(f"correlation: min_iou={min_iou} must be above 0 and at most 1")
    return CorrelationTracker(min_iou, min_peak)


@dataclass
class _Track:
    id: int
    tracker: Any
    box: F32
    conf: float
    """Peak to side-lobe ratio squashed to 0..1."""


class CorrelationTracker:
    """Follows faces; see `analyzer.track.Tracker`."""

    def __init__(self, min_iou: float, min_peak: float) -> None:
        self._min_iou, self._min_peak = min_iou, min_peak
        self._live: list[_Track] = []
        self._next_id = 0

    def update(self, frame: Frame, detections: Detections | None) -> Faces:
        """Take the next frame; see `analyzer.track.Tracker`."""
        self._live = [track for track in self._live if self._follow(track, frame.image)]
        if detections is None:
            return self._coasting()
        return self._corrected(frame.image, detections)

    def _follow(self, track: _Track, image: U8) -> bool:
        peak = track.tracker.update(image)
        place = track.tracker.get_position()
        box = [[place.left(), place.top(), place.right(), place.bottom()]]
        height, width = image.shape[:2]
        track.box = geometry.clip(np.array(box, np.float32), width, height)[0]
        track.conf = min(1.0, max(0.0, peak / _GOOD_PEAK))
        return bool(peak >= self._min_peak and geometry.area(track.box[None])[0] > 0)

    def _coasting(self) -> Faces:
        n = len(self._live)
        return Faces(
            boxes=np.array([t.box for t in self._live], np.float32).reshape(-1, 4),
            landmarks=None,
            track_id=np.array([t.id for t in self._live], np.int64),
            detect_conf=np.full(n, np.nan, np.float32),
            track_conf=np.array([t.conf for t in self._live], np.float32),
        )

    def _corrected(self, image: U8, detections: Detections) -> Faces:
        """The detector is right: matched tracks restart at its boxes, the others end."""
        n = len(detections)
        ids = np.full(n, -1, np.int64)
        track_conf = np.full(n, np.nan, np.float32)
        before = np.array([t.box for t in self._live], np.float32).reshape(-1, 4)
        for old, new in match(before, detections.boxes, self._min_iou)[0]:
            ids[new], track_conf[new] = self._live[old].id, self._live[old].conf
        fresh = np.nonzero(ids < 0)[0]
        ids[fresh] = np.arange(self._next_id, self._next_id + len(fresh))
        self._next_id += len(fresh)
        self._live = [
            _Track(int(i), _start(image, box), box, 1.0)
            for i, box in zip(ids, detections.boxes, strict=True)
        ]
        return Faces(
            boxes=detections.boxes,
            landmarks=detections.landmarks,
            track_id=ids,
            detect_conf=detections.scores,
            track_conf=track_conf,
        )


def _start(image: U8, box: F32) -> Any:
    tracker = dlib.correlation_tracker()
    tracker.start_track(image, dlib.drectangle(*(float(v) for v in box)))
    return tracker
