"""Faces of one frame: detected, tracked, cropped and described."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.types.arrays import F32, I64, U8, Arrays, check


@dataclass(frozen=True, kw_only=True, repr=False)
class Detections(Arrays):
    """Detected faces of one frame."""

    boxes: F32
    """(n, 4) pixels."""
    scores: F32
    """(n,) confidence, 0 to 1."""
    landmarks: F32 | None = None
    """(n, 5, 2) eyes (left in the image first), nose, mouth corners; pixels."""
    faint: NDArray[np.bool_] | None = None
    """(n,) whether it is too faint to be a face by itself, and may only carry on a track; `None`
    where none is."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        check("Detections", "boxes", self.boxes, np.float32, (n, 4))
        check("Detections", "scores", self.scores, np.float32, (n,))
        if self.landmarks is not None:
            check("Detections", "landmarks", self.landmarks, np.float32, (n, 5, 2))
        if self.faint is not None:
            check("Detections", "faint", self.faint, np.bool_, (n,))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: Any) -> "Detections":
        marks = None if self.landmarks is None else self.landmarks[rows]
        faint = None if self.faint is None else self.faint[rows]
        return Detections(
            boxes=self.boxes[rows], scores=self.scores[rows], landmarks=marks, faint=faint
        )

    @property
    def certain(self) -> "Detections":
        """Those that are faces by themselves."""
        if self.faint is None:
            return self
        return replace(self[~self.faint], faint=None)

    @classmethod
    def empty(cls) -> "Detections":
        """Return detections without a face."""
        return cls(boxes=np.empty((0, 4), np.float32), scores=np.empty(0, np.float32))


@dataclass(frozen=True, kw_only=True, repr=False)
class Faces(Arrays):
    """Tracked faces of one frame."""

    boxes: F32
    """(n, 4) pixels."""
    landmarks: F32 | None
    """(n, 5, 2) pixels, or `None` where the detector gives none; NaN while coasting."""
    track_id: I64
    """(n,) track ids, dense from 0 within one run of the tracker."""
    detect_conf: F32
    """(n,) detector's confidence; NaN while coasting (tracked, not detected)."""
    track_conf: F32
    """(n,) tracker's confidence in the link to the frame before; NaN in a new track."""
    faint: NDArray[np.bool_] | None = None
    """(n,) whether the detection is a faint one; `None` where none is."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        check("Faces", "boxes", self.boxes, np.float32, (n, 4))
        check("Faces", "track_id", self.track_id, np.int64, (n,))
        check("Faces", "detect_conf", self.detect_conf, np.float32, (n,))
        check("Faces", "track_conf", self.track_conf, np.float32, (n,))
        if self.faint is not None:
            check("Faces", "faint", self.faint, np.bool_, (n,))
        if self.landmarks is not None:
            check("Faces", "landmarks", self.landmarks, np.float32, (n, 5, 2))

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, kw_only=True, repr=False)
class Chips(Arrays):
    """Aligned face crops, ready for a network."""

    images: U8
    """(n, S, S, 3) RGB."""
    sharpness: F32
    """(n,) 0 (blurred) to 1 (sharp)."""
    frontality: F32
    """(n,) 0 (profile) to 1 (looking into the camera)."""
    face_px: F32
    """(n,) face size in source pixels: the square root of the box's area."""
    inside: F32 | None = None
    """(n,) share of the face that lies in the picture, 0 to 1; `None` where it is not known."""

    def __post_init__(self) -> None:
        n = len(self.images)
        size = self.images.shape[1] if self.images.ndim == 4 else None
        check("Chips", "images", self.images, np.uint8, (n, size, size, 3))
        for name in ("sharpness", "frontality", "face_px"):
            check("Chips", name, getattr(self, name), np.float32, (n,))
        if self.inside is not None:
            check("Chips", "inside", self.inside, np.float32, (n,))

    def __len__(self) -> int:
        return len(self.images)


@dataclass(frozen=True, kw_only=True, repr=False)
class Descriptions(Arrays):
    """Outputs of a describing network for n chips: embeddings and attribute heads."""

    embeddings: F32
    """(n, D) identity vectors; smaller Euclidean distance means more alike."""
    heads: Mapping[str, F32]
    """Head name -> (n, k) raw decision values (logits)."""

    def __post_init__(self) -> None:
        n = len(self.embeddings)
        check("Descriptions", "embeddings", self.embeddings, np.float32, (n, None))
        for name, values in self.heads.items():
            check("Descriptions", f"heads[{name}]", values, np.float32, (n, None))

    def __len__(self) -> int:
        return len(self.embeddings)
