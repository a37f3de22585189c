"""Common part of trackers that follow pixels: coast between detections, restart at them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzer.stages.track._match import match
from analyzer.types import F32, Detections, Faces

_MIN_SURE_CONF = 0.5
"""Least confidence with which a track goes on when the detector misses it."""


@dataclass
class LiveTrack:
    """A face that is being followed."""

    id: int
    box: F32
    """(4,) current position, pixels."""
    state: Any
    """Data of the tracker for this face."""
    score: float = np.nan
    """Score of the detection in this frame; NaN while coasting."""
    landmarks: F32 | None = None
    """(5, 2) landmarks of the detection in this frame, or `None`."""
    conf: float = np.nan
    """Confidence of its last move, 0 to 1; NaN when fresh."""
    missed: int = 0
    """Number of detections in succession that missed it."""

    def coast(self, box: F32, conf: float) -> None:
        """Move the face to a box (4,) that the tracker believes, with its confidence."""
        self.box, self.conf = box, conf
        self.score, self.landmarks = np.nan, None


class LiveTracks:
    """The faces that are being followed.

    Args:
        min_iou: Least IoU of a track with the detection that continues it.
        patience: Number of detections in succession that may miss a face of which the tracker is
            sure.
    """

    def __init__(self, min_iou: float, patience: int) -> None:
        self.tracks: list[LiveTrack] = []
        self._min_iou, self._patience = min_iou, patience
        self._next_id = 0

    def correct(self, detections: Detections, start: Callable[[F32], Any]) -> None:
        """Correct the tracks by detections: matched tracks go on at their boxes, others may end.

        Args:
            detections: Detections of this frame.
            start: Function that returns the tracker's data for a box (4,).
        """
        before = np.array([t.box for t in self.tracks], np.float32).reshape(-1, 4)
        old = {new: old for old, new in match(before, detections.boxes, self._min_iou)[0]}
        detected = [self._restart(detections, i, old.get(i), start) for i in range(len(detections))]
        missed = [t for i, t in enumerate(self.tracks) if i not in old.values()]
        for track in missed:
            track.missed += 1
        coasting = [t for t in missed if t.missed <= self._patience and t.conf >= _MIN_SURE_CONF]
        self.tracks = detected + coasting

    def _restart(
        self, detections: Detections, i: int, old: int | None, start: Callable[[F32], Any]
    ) -> LiveTrack:
        """Return the track of a detection: a new one, or the old one restarted at its box.

        Args:
            detections: Detections of this frame.
            i: Number of the detection.
            old: Number of the track that it continues; `None`: a new track.
            start: Function that returns the tracker's data for a box (4,).
        """
        if old is None:
            self._next_id += 1
        box, marks = detections.boxes[i], detections.landmarks
        return LiveTrack(
            id=self._next_id - 1 if old is None else self.tracks[old].id,
            box=box,
            state=start(box),
            score=float(detections.scores[i]),
            landmarks=None if marks is None else marks[i],
            conf=np.nan if old is None else self.tracks[old].conf,
        )

    def faces(self) -> Faces:
        """Return the faces of this frame."""
        unknown = np.full((5, 2), np.nan, np.float32)
        marks = [unknown if t.landmarks is None else t.landmarks for t in self.tracks]
        return Faces(
            boxes=np.array([t.box for t in self.tracks], np.float32).reshape(-1, 4),
            landmarks=np.array(marks, np.float32).reshape(-1, 5, 2),
            track_id=np.array([t.id for t in self.tracks], np.int64),
            detect_conf=np.array([t.score for t in self.tracks], np.float32),
            track_conf=np.array([t.conf for t in self.tracks], np.float32),
        )
