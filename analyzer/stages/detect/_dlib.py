"""Common parts of dlib's detectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from analyzer.errors import UsageError
from analyzer.imaging.boxes import clip
from analyzer.types import F32, U8, Detections

_MAX_UPSAMPLE = 4
_ASPECT = 1.25
"""Height of a face divided by its width."""
_FACE_SIDES = np.array([_ASPECT**-0.5, _ASPECT**0.5], np.float32) / np.float32(0.96)
"""Width and height of a face, in sides of dlib's square around it."""
_FACE_RISE = np.array([0, 0.04], np.float32)
"""Distance of the face's centre above the square's, in widths and heights of the face."""


def require_upsample(detector: str, upsample: int) -> None:
    """Refuse pictures that would not fit into memory.

    Args:
        detector: Name of the detector, for the message.
        upsample: How often pictures are doubled.

    Raises:
        UsageError: Pictures are to be doubled too often.
    """
    if not 0 <= upsample <= _MAX_UPSAMPLE:
        raise UsageError(
            f"{detector}: upsample={upsample} must be 0 to {_MAX_UPSAMPLE}: each step doubles "
            "the picture's sides"
        )


def detections(rectangles: Sequence[Any], margins: Sequence[float], image: U8) -> Detections:
    """Convert dlib's rectangles to detections.

    Args:
        rectangles: Rectangles of dlib (n).
        margins: Distances (n) from the boundary between face and no face, without upper limit;
            the logistic function makes confidences of them, 0.5 on the boundary.
        image: (H, W, 3) picture that holds the rectangles.
    """
    scores = (1 / (1 + np.exp(-np.array(margins)))).astype(np.float32)
    height, width = image.shape[:2]
    boxes = clip(_boxes(rectangles), width, height)
    order = np.argsort(-scores, kind="stable")
    return Detections(boxes=boxes[order], scores=scores[order])


def _boxes(rectangles: Sequence[Any]) -> F32:
    """Return boxes (n, 4) from brow to chin and temple to temple for n of dlib's rectangles.

    dlib's squares lie a little lower. This is the inverse of the conversion in the aligner `chip`,
    so that it cuts the chips that dlib would cut. dlib's rectangles include their last row and
    column.
    """
    corners = [(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles]
    squares = np.array(corners, np.float32).reshape(-1, 4)
    sides = (squares[:, 2:] - squares[:, :2]) * _FACE_SIDES
    centres = (squares[:, :2] + squares[:, 2:]) / 2 - sides * _FACE_RISE
    return np.concatenate([centres - sides / 2, centres + sides / 2], 1)
