"""dlib's correlation tracker: scale and position of each face between detections.

Danelljan et al., "Accurate Scale Estimation for Robust Visual Tracking", BMVC 2014.
"""

from collections.abc import Sequence
from typing import Any

import dlib
import numpy as np

from analyzer.errors import UsageError
from analyzer.imaging.boxes import clip, visible
from analyzer.inference.runtime import Runtime
from analyzer.stages.track._live import LiveTrack, LiveTracks
from analyzer.types import F32, U8, Detections, Faces, Frame

_SURE_PEAK = 20.0
"""Peak to side-lobe ratio at which the confidence is 1."""


def create(
    *, min_iou: float = 0.3, min_peak: float = 7.0, patience: int = 1, runtime: Runtime
) -> "CorrelationTracker":
    """Return dlib's correlation tracker.

    Args:
        min_iou: Least IoU of a track with the detection that continues it.
        min_peak: Peak to side-lobe ratio below which a face counts as lost.
        patience: Number of detections in succession that may miss a face.
        runtime: Not used.

    Raises:
        UsageError: An IoU out of range.
    """
    if not 0 < min_iou <= 1:
        raise UsageError(f"correlation: min_iou={min_iou} must be above 0 and at most 1")
    return CorrelationTracker(min_iou, min_peak, patience)


class CorrelationTracker:
    """Follows faces; see `analyzer.stages.track.Tracker`."""

    def __init__(self, min_iou: float, min_peak: float, patience: int) -> None:
        self._live = LiveTracks(min_iou, patience)
        self._min_peak = min_peak

    def track(
        self, frames: Sequence[Frame], detections: Sequence[Detections | None]
    ) -> list[Faces]:
        """Take the next frames; see `analyzer.stages.track.Tracker`."""
        return [self._step(f, d) for f, d in zip(frames, detections, strict=True)]

    def _step(self, frame: Frame, detections: Detections | None) -> Faces:
        live = [] if frame.cut else self._live.tracks
        self._live.tracks = [t for t in live if self._follow(t, frame.image)]
        if detections is not None:
            self._live.correct(detections, lambda box: _start(frame.image, box))
        return self._live.faces()

    def _follow(self, track: LiveTrack, image: U8) -> bool:
        """Move a track to its position in the next picture; return whether it is still there."""
        peak = track.state.update(image)
        position = track.state.get_position()
        corners = [[position.left(), position.top(), position.right(), position.bottom()]]
        height, width = image.shape[:2]
        box = clip(np.array(corners, np.float32), width, height)[0]
        track.coast(box, min(1.0, max(0.0, peak / _SURE_PEAK)))
        return bool(peak >= self._min_peak and visible(box[None])[0])


def _start(image: U8, box: F32) -> Any:
    tracker = dlib.correlation_tracker()
    tracker.start_track(image, dlib.drectangle(*(float(v) for v in box)))
    return tracker
