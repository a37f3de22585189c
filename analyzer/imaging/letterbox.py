"""Letterbox: the area of a picture without black bars."""

import numpy as np

from analyzer.types import F32, U8

_MAX_BLACK = 24
"""Greatest grey level of a bar's pixel: black is 16 in video, and encoders add noise."""
_MIN_BRIGHT_SHARE = 0.02
"""Share of a row or column that must be brighter to belong to the picture."""

_WHOLE_PICTURE = np.array([0, 0, 1, 1], np.float32)


class LetterboxDetector:
    """Detector of black bars, from all pictures of a medium.

    A dark picture alone does not shrink the box: the box holds the area of every picture.

    Attributes:
        box: (4,) x1, y1, x2, y2 as shares of the stored picture's sides; inverted until a
            picture was bright enough.
    """

    def __init__(self) -> None:
        self.box: F32 = np.array([1, 1, 0, 0], np.float32)

    def update(self, picture: U8) -> None:
        """Extend the box by the area of a picture.

        Args:
            picture: (h, w) grey.
        """
        if (self.box == _WHOLE_PICTURE).all():
            return
        rows, columns = picture_area(picture)
        if rows.stop == 0:
            return
        height, width = picture.shape
        low = np.array([columns.start / width, rows.start / height], np.float32)
        high = np.array([columns.stop / width, rows.stop / height], np.float32)
        self.box = join(self.box, np.concatenate([low, high]))


def picture_area(picture: U8 | F32) -> tuple[slice, slice]:
    """Return the rows and columns of a picture without its black bars.

    Args:
        picture: (h, w) grey, 0 to 255.

    Returns:
        Slices of rows and columns; empty for a dark picture.
    """
    bright = picture > _MAX_BLACK
    height, width = picture.shape
    rows = np.nonzero(bright.sum(axis=1) > _MIN_BRIGHT_SHARE * width)[0]
    columns = np.nonzero(bright.sum(axis=0) > _MIN_BRIGHT_SHARE * height)[0]
    if not len(rows) or not len(columns):
        return slice(0, 0), slice(0, 0)
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def join(a: F32, b: F32) -> F32:
    """Return the smallest box (4,) around two boxes (4,)."""
    return np.concatenate([np.minimum(a[:2], b[:2]), np.maximum(a[2:], b[2:])])


def area(box: F32) -> float:
    """Return the area of a box of shares, 0 to 1; 1 for an inverted box."""
    sides = box[2:] - box[:2]
    return float(sides[0] * sides[1]) if (sides > 0).all() else 1.0
