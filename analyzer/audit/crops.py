"""Pictures of drawn faces, with some of what is around them, and how dark the faces are."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from analyzer import registry
from analyzer.errors import InputError
from analyzer.reports import portraits
from analyzer.types import F32, I64, U8, MediaReport

SIDE_PX = 360
"""Side of a crop: a screen of 400 pixels shows it whole."""
_MARGIN = 2.6
"""Side of a crop in sides of the face: hair, neck and shoulders help to tell an age."""
DARKNESS = ("dark", "medium", "light")
_BOUNDS = (70.0, 130.0)
"""Mean luma, 0 to 255, of a face from which it is no longer dark, and from which it is light."""
_LUMA = np.array([0.2126, 0.7152, 0.0722])


@dataclass(frozen=True)
class Crop:
    """The picture of one face."""

    jpeg: bytes
    box: tuple[float, float, float, float]
    """Left, top, width and height of the face, in sides of the picture."""


def cut(
    report: MediaReport, rows: Sequence[int], note: Callable[[str], None]
) -> Iterator[tuple[int, Crop]]:
    """Yield row and crop of each face that is found again in the medium.

    Args:
        report: Report of the medium.
        rows: Rows of the faces.
        note: Function that is called with the reason for missing ones.
    """
    encode = registry.module("formats", "jpeg").encode
    for row, picture in _pictures(report, rows, note):
        box = report.observations.boxes[row]
        left, top, side = portraits.window(picture, box, _MARGIN)
        x1, y1, x2, y2 = ((box - [left, top, left, top]) / side).clip(0, 1).round(4).tolist()
        part = picture[top : top + side, left : left + side]
        yield row, Crop(encode(part, SIDE_PX), (x1, y1, x2 - x1, y2 - y1))


def darkness(
    report: MediaReport, rows: Sequence[int], note: Callable[[str], None]
) -> Iterator[tuple[int, int]]:
    """Yield row and class of `DARKNESS` of each face that is found again; see `cut`."""
    for row, picture in _pictures(report, rows, note):
        yield row, int(np.searchsorted(_BOUNDS, _luma(picture, report.observations.boxes[row])))


def _pictures(
    report: MediaReport, rows: Sequence[int], note: Callable[[str], None]
) -> Iterator[tuple[int, U8]]:
    try:
        yield from portraits.pictures_of(
            report, rows, note=lambda text: note(f"{report.info.uri}: {text}")
        )
    except InputError as error:
        note(str(error))


def _luma(picture: U8, box: F32) -> float:
    """Return the mean luma of a face."""
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = box.round().astype(int).tolist()
    left, top = min(max(x1, 0), width - 1), min(max(y1, 0), height - 1)
    face = picture[top : max(y2, top + 1), left : max(x2, left + 1)]
    return float(face.mean(axis=(0, 1)) @ _LUMA)


def of_rows(values_of_rows: Iterator[tuple[int, int]], rows: I64, missing: int) -> I64:
    """Return the value (n,) of each row, and a number for those that were not found."""
    values = dict(values_of_rows)
    return np.array([values.get(row, missing) for row in rows.tolist()], np.int64)
