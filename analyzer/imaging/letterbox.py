"""The part of the picture that is used: black bars found and left out."""

import numpy as np

from analyzer.types import F32, U8

_BLACK = 24
"""Brightest a pixel of a bar may be: 16 is black in video, and encoders add noise."""
_LIT = 0.02
"""Share of a row or column that must be brighter to count as picture."""

_WHOLE = np.array([0, 0, 1, 1], np.float32)


class LetterboxDetector:
    """The smallest box that holds every picture of a medium; dark scenes alone do not shrink it.

    Attributes:
        box: (4,) x1, y1, x2, y2 as shares of the stored picture's sides.
    """

    def __init__(self) -> None:
        self.box: F32 = np.array([1, 1, 0, 0], np.float32)

    def update(self, picture: U8) -> None:
        """Take in a picture (h, w), grey."""
        if (self.box == _WHOLE).all():
            return
        rows, columns = picture_area(picture)
        if rows.stop == 0:
            return
        height, width = picture.shape
        low = np.array([columns.start / width, rows.start / height], np.float32)
        high = np.array([columns.stop / width, rows.stop / height], np.float32)
        self.box = join(self.box, np.concatenate([low, high]))


def picture_area(picture: U8 | F32) -> tuple[slice, slice]:
    """Return the rows and columns of a grey picture (h, w) without black bars; empty if dark."""
    bright = picture > _BLACK
    height, width = picture.shape
    rows = np.nonzero(bright.sum(axis=1) > _LIT * width)[0]
    columns = np.nonzero(bright.sum(axis=0) > _LIT * height)[0]
    if not len(rows) or not len(columns):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def join(a: F32, b: F32) -> F32:
    """Return the smallest box that holds both."""
    return np.concatenate([np.minimum(a[:2], b[:2]), np.maximum(a[2:], b[2:])])


def area(box: F32) -> float:
    """Share of the picture that is used; 1 where nothing was ever lit."""
    sides = box[2:] - box[:2]
    return float(sides[0] * sides[1]) if (sides > 0).all() else 1.0
