"""Orientation of stored pictures: mirrored or not, and by how many quarter turns.

Container and codec state it as a matrix, which FFmpeg hands on with the decoded picture. It is read
here, because FFmpeg's own angle of it knows no mirrors, and applied by this project, in the
analysis and in what is burnt in alike.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from analyzer.stages.decode._filters import filtered
from analyzer.types import F64, U8

_TOLERANCE = math.cos(math.radians(1))
"""Cosine of the angle by which a stated orientation may miss quarter turns, as in ffmpeg."""
_TURN = np.array([[0, 1], [-1, 0]])
"""Quarter turn, counterclockwise, of (x, y) with y downwards."""
_FILTERS = ((), (("transpose", "cclock"),), (("hflip",), ("vflip",)), (("transpose", "clock"),))
"""Filters of ffmpeg, with their arguments, for each number of quarter turns."""

_KINDS: Any = Type
_UNKNOWN = range(max(int(kind.value) for kind in _KINDS) + 1, 64)
"""Kinds of side data, by FFmpeg's numbers, that PyAV has no name for, with some for later ones."""


@dataclass(frozen=True)
class Orientation:
    """How a stored picture becomes upright: first mirrored, then turned."""

    quarter_turns: int = 0
    """Number of quarter turns, counterclockwise, from 0 to 3."""
    is_mirrored: bool = False
    """Whether left and right are exchanged before."""

    def upright(self, image: U8) -> U8:
        """Return a stored picture (h, w, 3) as it is to be shown."""
        mirrored = image[:, ::-1] if self.is_mirrored else image
        return np.ascontiguousarray(np.rot90(mirrored, self.quarter_turns))

    def size(self, stored: tuple[int, int]) -> tuple[int, int]:
        """Return width and height of the upright picture, from those of the stored one."""
        return stored if self.quarter_turns % 2 == 0 else stored[::-1]

    @property
    def filters(self) -> tuple[tuple[str, ...], ...]:
        """Filters of ffmpeg that do what `upright` does, each with its arguments."""
        return (*((("hflip",),) if self.is_mirrored else ()), *_FILTERS[self.quarter_turns])

    @property
    def matrix(self) -> NDArray[np.int64]:
        """(2, 2) matrix of (x, y), y downwards, without the shift into the picture."""
        mirror = np.diag([-1 if self.is_mirrored else 1, 1])
        return np.asarray(np.linalg.matrix_power(_TURN, self.quarter_turns) @ mirror, np.int64)


_ALL = tuple(Orientation(turns, mirrored) for mirrored in (False, True) for turns in range(4))


def orientation(picture: VideoFrame) -> tuple[Orientation, str]:
    """Return the orientation of a decoded picture, and a note where it can only be approximated.

    Angles between quarter turns are taken for the nearest quarter turn.
    """
    stated = _stated_matrix(picture)
    if stated is None:
        return Orientation(), ""
    likeness = [float((stated * choice.matrix).sum()) / 2 for choice in _ALL]
    best = max(range(len(_ALL)), key=likeness.__getitem__)
    if likeness[best] >= _TOLERANCE:
        return _ALL[best], ""
    degrees = 90 * _ALL[best].quarter_turns
    return _ALL[best], (
        "orientation: the file states one that is no multiple of 90 degrees; the nearest one was "
        f"taken, {degrees} degrees counterclockwise"
    )


def _stated_matrix(picture: VideoFrame) -> F64 | None:
    """Return the matrix (2, 2) of a picture with columns of length 1; `None` without a valid one.

    FFmpeg has nine 32-bit numbers `a b u c d v x y w`: x becomes (a, b), and y becomes (c, d).
    """
    try:
        side_data: Any = picture.side_data
    except ValueError:
        side_data = _without_unknown(picture).side_data
    data = side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return None
    numbers = np.frombuffer(bytes(data), np.int32)
    if len(numbers) < 9:
        return None
    columns = numbers[:9].reshape(3, 3)[:2, :2].T.astype(np.float64)
    lengths = np.linalg.norm(columns, axis=0)
    return columns / lengths if lengths.all() else None


def _without_unknown(picture: VideoFrame) -> VideoFrame:
    """Return a picture without the side data that PyAV has no name for.

    FFmpeg has more kinds, such as EXIF and those of pictures for two eyes; PyAV then reads none.
    """
    return filtered(picture, *(("sidedata", f"mode=delete:type={kind}") for kind in _UNKNOWN))
