"""Pictures made small and grey, for finding cuts; quick, because it is done with every picture."""

from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from analyzer.types import U8

_WIDTH = 128
_LUMA_PLANE_FORMATS = ("yuv", "nv", "gray", "p010", "p016")
"""Beginnings of the names of pixel formats with brightness in the first plane."""


def thumbnail(picture: VideoFrame, reformatter: VideoReformatter) -> U8:
    """Return a decoded picture in grey, about 128 pixels on its longer side: (h, w) uint8.

    Where brightness has a plane of its own, every nth pixel is taken directly from that plane.

    Args:
        picture: The decoded picture.
        reformatter: Converter for pictures without such a plane.
    """
    step = max(1, max(picture.width, picture.height) // _WIDTH)
    if not picture.format.name.startswith(_LUMA_PLANE_FORMATS) or picture.format.is_bit_stream:
        size = max(1, picture.width // step), max(1, picture.height // step)
        small = reformatter.reformat(picture, *size, "gray", interpolation="FAST_BILINEAR")
        return np.asarray(small.to_ndarray(), np.uint8)
    plane, bits = picture.planes[0], picture.format.components[0].bits
    dtype = np.dtype(np.uint8 if bits <= 8 else "<u2")
    values: Any = np.frombuffer(memoryview(plane), dtype)
    rows = values.reshape(-1, plane.line_size // dtype.itemsize)
    luma = rows[: picture.height : step, : picture.width : step]
    if bits <= 8:
        return np.ascontiguousarray(luma)
    high = luma >> (8 if picture.format.name.startswith(("p010", "p016")) else bits - 8)
    return np.asarray(high, np.uint8)
