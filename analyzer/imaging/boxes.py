"""Geometry of boxes: (n, 4) arrays of `x1, y1, x2, y2`, half-open, in pixels."""

import numpy as np
from numpy.typing import NDArray

from analyzer.types import F32


def area(boxes: F32) -> F32:
    """Return the area (n,) of each box; 0 for an empty or inverted box."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return sides[:, 0] * sides[:, 1]


def visible(boxes: F32) -> NDArray[np.bool_]:
    """Return a mask (n,) of the boxes with a width and a height of a pixel or more."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2] >= 1).all(axis=1))


def iou(a: F32, b: F32) -> F32:
    """Return the intersection over union (n, m) of boxes `a` (n, 4) and `b` (m, 4)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    sides = np.maximum(high - low, 0)
    overlap = sides[..., 0] * sides[..., 1]
    union = area(a)[:, None] + area(b)[None, :] - overlap
    return overlap / np.maximum(union, np.finfo(np.float32).tiny)


def square(boxes: F32) -> F32:
    """Return the square of side `max(width, height)` around each box's centre."""
    return _around(boxes, np.max(boxes[:, 2:] - boxes[:, :2], axis=1, keepdims=True))


def scale(boxes: F32, factor: float) -> F32:
    """Return each box scaled about its centre; `factor` multiplies its sides."""
    return _around(boxes, (boxes[:, 2:] - boxes[:, :2]) * factor)


def clip(boxes: F32, width: float, height: float) -> F32:
    """Return each box clipped to a picture.

    Args:
        boxes: (n, 4) pixels.
        width: Width of the picture, pixels.
        height: Height of the picture, pixels.
    """
    limit = np.array([width, height, width, height], np.float32)
    return np.clip(boxes, 0, limit)


def nms(boxes: F32, scores: F32, threshold: float) -> np.ndarray:
    """Suppress boxes that overlap a better one (greedy non-maximum suppression).

    Args:
        boxes: (n, 4) pixels.
        scores: (n,) score of each box.
        threshold: Intersection over union with a better box above which a box is suppressed.

    Returns:
        (k,) indices of the remaining boxes, best score first.
    """
    order = np.argsort(-scores, kind="stable")
    overlaps = iou(boxes[order], boxes[order]) > threshold
    keep = np.ones(len(order), bool)
    for i in range(len(order)):
        if keep[i]:
            keep[i + 1 :] &= ~overlaps[i, i + 1 :]
    return order[keep]


def _around(boxes: F32, sides: F32) -> F32:
    """Return boxes of the given sides (n, 1 or 2) about the centres of `boxes`."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    return np.concatenate([centre - sides / 2, centre + sides / 2], axis=1).astype(np.float32)
