"""What trackers that follow pixels share: coast between detections, restart at them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzer.stages.track._match import match
from analyzer.types import F32, Detections, Faces

_SURE = 0.5


@dataclass
class LiveTrack:
    """A face that is being followed."""

    id: int
    box: F32
    """(4,) where it is now."""
    state: Any
    """What the tracker keeps of it."""
    score: float = np.nan
    """Of the detection in this frame; NaN while coasting."""
    landmarks: F32 | None = None
    """(5, 2) of the detection in this frame, or ``None``."""
    conf: float = np.nan
    """0 to 1, how sure its last move is; NaN when fresh."""
    missed: int = 0
    """How often in succession the detector has not seen it."""

    def coast(self, box: F32, conf: float) -> None:
        """Move on to where the tracker believes it to be."""
        self.box, self.conf = box, conf
        self.score, self.landmarks = np.nan, None


class LiveTracks:
    """The faces that are being followed.

    Args:
        min_iou: least overlap of a track with the detection that continues it.
        patience: how often in succession the detector may miss a face that the tracker is sure of.
    """

    def __init__(self, min_iou: float, patience: int) -> None:
        self.tracks: list[LiveTrack] = []
        self._min_iou, self._patience = min_iou, patience
        self._next_id = 0

    def correct(self, detections: Detections, start: Callable[[F32], Any]) -> None:
        """Take in what the detector found: matched tracks go on at its boxes, others may end.

        Args:
            detections: of this frame.
            start: makes the tracker's state of a box (4,).
        """
        before = np.array([t.box for t in self.tracks], np.float32).reshape(-1, 4)
        old = {new: old for old, new in match(before, detections.boxes, self._min_iou)[0]}
        seen = [self._seen(detections, i, old.get(i), start) for i in range(len(detections))]
        unseen = [t for i, t in enumerate(self.tracks) if i not in old.values()]
        for track in unseen:
            track.missed += 1
        kept = [t for t in unseen if t.missed <= self._patience and t.conf >= _SURE]
        self.tracks = seen + kept

    def _seen(
        self, detections: Detections, i: int, old: int | None, start: Callable[[F32], Any]
    ) -> LiveTrack:
        """The track of a detection: a new one, or the old one restarted at its box."""
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
        """The faces of this frame."""
        unknown = np.full((5, 2), np.nan, np.float32)
        marks = [unknown if t.landmarks is None else t.landmarks for t in self.tracks]
        return Faces(
            boxes=np.array([t.box for t in self.tracks], np.float32).reshape(-1, 4),
            landmarks=np.array(marks, np.float32).reshape(-1, 5, 2),
            track_id=np.array([t.id for t in self.tracks], np.int64),
            detect_conf=np.array([t.score for t in self.tracks], np.float32),
            track_conf=np.array([t.conf for t in self.tracks], np.float32),
        )
