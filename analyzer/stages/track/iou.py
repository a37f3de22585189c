"""Links between detections that overlap from frame to frame; coasting boxes go on as they moved.

Bochinski et al., "High-Speed Tracking-by-Detection Without Using Image Information", AVSS 2017,
with the best assignment instead of the greedy one, and gaps bridged. Detections that are too faint
to be faces by themselves carry on tracks that no other detection does (Zhang et al., "ByteTrack:
Multi-Object Tracking by Associating Every Detection Box", ECCV 2022).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from analyzer.errors import UsageError
from analyzer.imaging.boxes import clip, visible
from analyzer.inference.runtime import Runtime
from analyzer.stages.track._match import match
from analyzer.types import F32, I64, Detections, Faces, Frame

_ROUNDING_S = 1e-6
"""Allowance for the rounding of times."""


def create(*, min_iou: float = 0.3, max_gap: float = 0.5, runtime: Runtime) -> "IouTracker":
    """Return a tracker that links overlapping boxes.

    Args:
        min_iou: Least IoU of two boxes of one track.
        max_gap: Greatest time without a detection within a track, in seconds.
        runtime: Not used.

    Raises:
        UsageError: An IoU out of range.
    """
    if not 0 < min_iou <= 1:
        raise UsageError(f"iou: min_iou={min_iou} must be above 0 and at most 1")
    return IouTracker(min_iou, max_gap)


@dataclass
class _Track:
    """A face that is being followed."""

    id: int
    box: F32
    """(4,) last detection, pixels."""
    velocity: F32
    """(4,) pixels a second."""
    end_s: float
    """End of the last sample with a detection."""
    time_s: float
    """Begin of that sample."""
    shown: F32
    """(4,) where the face was last detected, or has coasted to since then; pixels."""

    def coast(self, time_s: float) -> F32:
        """Move the face to where it is at a time if it goes on as it moved; return the box (4,)."""
        self.shown = self.box + self.velocity * np.float32(time_s - self.time_s)
        return self.shown


class IouTracker:
    """Follows faces; see `analyzer.stages.track.FaintTracker`."""

    takes_faint: ClassVar[bool] = True

    def __init__(self, min_iou: float, max_gap: float) -> None:
        self._min_iou, self._max_gap = min_iou, max_gap
        self._live: list[_Track] = []
        self._next_id = 0

    def track(
        self, frames: Sequence[Frame], detections: Sequence[Detections | None]
    ) -> list[Faces]:
        """Take the next frames; see `analyzer.stages.track.Tracker`."""
        return [self._step(f, d) for f, d in zip(frames, detections, strict=True)]

    def _step(self, frame: Frame, detections: Detections | None) -> Faces:
        self._live = [
            t
            for t in self._live
            if not frame.cut and frame.time_s - t.end_s <= self._max_gap + _ROUNDING_S
        ]
        if detections is None:
            return self._coast(frame)
        ids = np.full(len(detections), -1, np.int64)
        track_conf = np.full(len(detections), np.nan, np.float32)
        faint = detections.faint
        is_faint = np.zeros(len(detections), bool) if faint is None else faint
        left = self._live
        # What is certainly a face comes first: a faint one takes no track from it.
        for candidates in (np.nonzero(~is_faint)[0], np.nonzero(is_faint)[0]):
            before = np.array([t.shown for t in left], np.float32).reshape(-1, 4)
            pairs, overlaps = match(before, detections.boxes[candidates], self._min_iou)
            for (old, new), overlap in zip(pairs, overlaps, strict=True):
                row = candidates[new]
                self._advance(left[old], detections.boxes[row], frame)
                ids[row], track_conf[row] = left[old].id, overlap
            left = [t for t in left if t.id not in ids]
        for new in np.nonzero((ids < 0) & ~is_faint)[0].tolist():
            ids[new] = self._start(detections.boxes[new], frame)
        return _faces(detections, ids, track_conf)

    def _start(self, box: F32, frame: Frame) -> int:
        """Start a track at a box (4,), and return its number."""
        end = frame.time_s + frame.duration_s
        still = np.zeros(4, np.float32)
        self._live.append(_Track(self._next_id, box, still, end, frame.time_s, box))
        self._next_id += 1
        return self._next_id - 1

    @staticmethod
    def _advance(track: _Track, box: F32, frame: Frame) -> None:
        """Continue a track with a detection at a box (4,)."""
        passed = frame.time_s - track.time_s
        track.velocity = (box - track.box) / np.float32(passed) if passed > 0 else track.velocity
        track.box, track.shown, track.time_s = box, box, frame.time_s
        track.end_s = frame.time_s + frame.duration_s

    def _coast(self, frame: Frame) -> Faces:
        """Return the tracks, moved on by their last velocities, that are in the picture."""
        height, width = frame.image.shape[:2]
        boxes = np.array([t.coast(frame.time_s) for t in self._live], np.float32).reshape(-1, 4)
        clipped = clip(boxes, width, height)
        shown = visible(clipped)
        n = int(shown.sum())
        return Faces(
            boxes=clipped[shown],
            landmarks=None,
            track_id=np.array([t.id for t in self._live], np.int64)[shown],
            detect_conf=np.full(n, np.nan, np.float32),
            track_conf=np.full(n, self._min_iou, np.float32),
        )


def _faces(detections: Detections, ids: I64, track_conf: F32) -> Faces:
    """Return the detections that have a track (n,), -1 for those that have none."""
    kept = ids >= 0
    found = detections[kept]
    return Faces(
        boxes=found.boxes,
        landmarks=found.landmarks,
        track_id=ids[kept],
        detect_conf=found.scores,
        track_conf=track_conf[kept],
        faint=found.faint,
    )
