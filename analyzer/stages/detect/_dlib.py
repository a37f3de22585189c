"""What dlib's detectors have in common."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from analyzer.errors import UsageError
from analyzer.imaging import boxes as geometry
from analyzer.types import F32, U8, Detections

_MAX_UPSAMPLE = 4
_ASPECT = 1.25
_SIDES = np.array([_ASPECT**-0.5, _ASPECT**0.5], np.float32) / np.float32(0.96)
"""Width and height of a face, of that aspect, in sides of dlib's square around it."""
_RISE = np.array([0, 0.04], np.float32)
"""Of its centre above the square's, in heights."""


def require_upsample(detector: str, upsample: int) -> None:
    """Refuse what would not fit into memory.

    Raises:
        UsageError: pictures are to be doubled too often.
    """
    if not 0 <= upsample <= _MAX_UPSAMPLE:
        raise UsageError(
            f"{detector}: upsample={upsample} must be 0 to {_MAX_UPSAMPLE}: each step doubles "
            "the picture's sides"
        )


def detections(rectangles: Sequence[Any], margins: Sequence[float], image: U8) -> Detections:
    """Make detections of dlib's rectangles.

    Args:
        rectangles: of dlib, n of them.
        margins: (n,) distances from the boundary between face and none, which have no upper end;
            the logistic function makes confidences of them, 0.5 on the boundary.
        image: in which they lie.
    """
    scores = (1 / (1 + np.exp(-np.array(margins)))).astype(np.float32)
    height, width = image.shape[:2]
    boxes = geometry.clip(_boxes(rectangles), width, height)
    order = np.argsort(-scores, kind="stable")
    return Detections(boxes=boxes[order], scores=scores[order])


def _boxes(rectangles: Sequence[Any]) -> F32:
    """Boxes (n, 4) from brow to chin and temple to temple, of squares that lie a little lower.

    The inverse of what the aligner ``chip`` makes of boxes, so that it cuts what dlib would.
    dlib's rectangles include their last row and column.
    """
    corners = [(r.left(), r.top(), r.right() + 1, r.bottom() + 1) for r in rectangles]
    squares = np.array(corners, np.float32).reshape(-1, 4)
    sides = (squares[:, 2:] - squares[:, :2]) * _SIDES
    centres = (squares[:, :2] + squares[:, 2:]) / 2 - sides * _RISE
    return np.concatenate([centres - sides / 2, centres + sides / 2], 1)
