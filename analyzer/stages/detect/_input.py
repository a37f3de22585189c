"""Pictures in the sizes that networks take, and networks read from files."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from analyzer.errors import UsageError, WeightsError
from analyzer.types import U8

if "OPENCV_LOG_LEVEL" not in os.environ:
    # Errors come as exceptions; newer versions also print warnings about their own work.
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)

MULTIPLE = 32
"""Sides of the input are multiples of it: networks halve their input five times."""


def require_bounds(detector: str, *, size: int, least: int = MULTIPLE, **shares: float) -> None:
    """Refuse values out of range.

    Args:
        detector: Name of the detector, for the message.
        size: Longer side of its input in pixels.
        least: Least size.
        shares: Options with values between 0 and 1, by name.

    Raises:
        UsageError: A value is out of range.
    """
    if size < least:
        raise UsageError(f"{detector}: size={size} must be at least {least}")
    for name, share in shares.items():
        if not 0 < share < 1:
            raise UsageError(f"{detector}: {name}={share} must be between 0 and 1")


def round_up(side: int) -> int:
    """Return the next multiple of `MULTIPLE`."""
    return -(-side // MULTIPLE) * MULTIPLE


def resize(image: U8, ratio: float) -> U8:
    """Scale a picture (H, W, 3) smoothly.

    Args:
        image: (H, W, 3) uint8.
        ratio: New side divided by old side.
    """
    height, width = (max(1, round(side * ratio)) for side in image.shape[:2])
    method = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    return cv2.resize(image, (width, height), interpolation=method)


def pad(image: U8, height: int, width: int) -> U8:
    """Pad a picture with black, right and below: (height, width, 3)."""
    padded = np.zeros((height, width, 3), np.uint8)
    padded[: image.shape[0], : image.shape[1]] = image
    return padded


def read_onnx(path: Path, *, cure: str) -> Any:
    """Read an ONNX network.

    Args:
        path: Path of the file.
        cure: Advice at the end of the message.

    Raises:
        WeightsError: Not an ONNX file, or not a whole one.
    """
    # onnx is slow to import, and few networks are read.
    from analyzer.stages.detect import _onnx_file

    return _onnx_file.read(path, cure=cure)


def picture_form(path: Path, *, cure: str) -> tuple[str, bool, tuple[int, int] | None]:
    """Read the form of the input of an ONNX network that takes pictures.

    Args:
        path: Path of the file.
        cure: Advice at the end of a message.

    Returns:
        Name of the input; whether it takes several pictures at once; its height and width where
        they are fixed.

    Raises:
        WeightsError: Not a network that takes pictures.
    """
    graph = read_onnx(path, cure=cure).graph
    sides = [d.dim_value for d in graph.input[0].type.tensor_type.shape.dim] if graph.input else []
    if len(sides) != 4 or sides[1] != 3:
        raise WeightsError(f"{path}: takes no pictures (n, 3, height, width); {cure}")
    if any(side % MULTIPLE for side in sides[2:]):
        raise WeightsError(
            f"{path}: takes {sides[3]} x {sides[2]} pixels, no multiples of {MULTIPLE}; {cure}"
        )
    ranks = {len(output.type.tensor_type.shape.dim) for output in graph.output}
    fixed_size = (sides[2], sides[3]) if sides[2] and sides[3] else None
    return graph.input[0].name, sides[0] == 0 and ranks == {3}, fixed_size
