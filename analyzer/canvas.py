"""The part of the picture that is used: black bars found and left out."""

import numpy as np

from analyzer.types import F32, U8

_BLACK = 24
"""Brightest a pixel of a bar may be: 16 is black in video, and encoders add noise."""
_LIT = 0.02
"""Share of a row or column that must be brighter to count as picture."""


class Canvas:
    """The smallest box that holds every picture of a medium; dark scenes alone do not shrink it.

    Attributes:
        box: (4,) x1, y1, x2, y2 as shares of the stored picture's sides.
    """

    def __init__(self) -> None:
        self.box: F32 = np.array([1, 1, 0, 0], np.float32)

    def update(self, picture: U8) -> None:
        """Take in a picture (h, w), grey."""
        lit = picture > _BLACK
        height, width = picture.shape
        rows = np.nonzero(lit.sum(axis=1) > _LIT * width)[0]
        columns = np.nonzero(lit.sum(axis=0) > _LIT * height)[0]
        if not len(rows) or not len(columns):
            return
        low = np.array([columns[0] / width, rows[0] / height], np.float32)
        high = np.array([(columns[-1] + 1) / width, (rows[-1] + 1) / height], np.float32)
        self.box = join(self.box, np.concatenate([low, high]))


def join(a: F32, b: F32) -> F32:
    """The smallest box that holds both."""
    return np.concatenate([np.minimum(a[:2], b[:2]), np.maximum(a[2:], b[2:])])


def area(box: F32) -> float:
    """Share of the picture that is used; 1 where nothing was ever lit."""
    sides = box[2:] - box[:2]
    return float(sides[0] * sides[1]) if (sides > 0).all() else 1.0
