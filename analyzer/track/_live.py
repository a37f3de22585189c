"""What trackers that follow pixels share: coast between detections, restart at them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzer.track._match import match
from analyzer.types import F32, Detections, Faces


@dataclass
class LiveTrack:
    """A face that is being followed."""

    id: int
    box: F32
    """(4,) where it is now."""
    conf: float
    """0 to 1, how sure its last move is."""
    state: Any = None
    """What the tracker keeps of it."""


class LiveTracks:
    """The faces that are being followed."""

    def __init__(self, min_iou: float) -> None:
        self.tracks: list[LiveTrack] = []
        self._min_iou = min_iou
        self._next_id = 0

    def coasting(self) -> Faces:
        """The faces where the tracker believes them to be."""
        n = len(self.tracks)
        return Faces(
            boxes=self._boxes(),
            landmarks=None,
            track_id=np.array([t.id for t in self.tracks], np.int64),
            detect_conf=np.full(n, np.nan, np.float32),
            track_conf=np.array([t.conf for t in self.tracks], np.float32),
        )

    def corrected(self, detections: Detections, start: Callable[[F32], Any]) -> Faces:
        """The detector is right: matched tracks go on at its boxes, the others end.

        Args:
            detections: of this frame.
            start: makes the tracker's state of a box (4,).
        """
        n = len(detections)
        ids = np.full(n, -1, np.int64)
        track_conf = np.full(n, np.nan, np.float32)
        for old, new in match(self._boxes(), detections.boxes, self._min_iou)[0]:
            ids[new], track_conf[new] = self.tracks[old].id, self.tracks[old].conf
        fresh = np.nonzero(ids < 0)[0]
        ids[fresh] = np.arange(self._next_id, self._next_id + len(fresh))
        self._next_id += len(fresh)
        self.tracks = [
            LiveTrack(int(i), box, 1.0, start(box))
            for i, box in zip(ids, detections.boxes, strict=True)
        ]
        return Faces(
            boxes=detections.boxes,
            landmarks=detections.landmarks,
            track_id=ids,
            detect_conf=detections.scores,
            track_conf=track_conf,
        )

    def _boxes(self) -> F32:
        return np.array([t.box for t in self.tracks], np.float32).reshape(-1, 4)
