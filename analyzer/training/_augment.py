"""Random changes of a chip under which its labels hold."""

from typing import Any

import cv2
import numpy as np

from analyzer.training._degrade import degrade
from analyzer.training._occlude import occlude
from analyzer.types import U8

_TURN, _SCALE, _SHIFT = 10.0, 0.13, 6.0
"""Largest rotation in degrees, change of scale as a share, and shift in pixels."""
_DEGRADED = 0.6
"""Share of the chips that may get faults of film."""


def augment(chip: U8, random: np.random.Generator) -> tuple[U8, U8]:
    """Change one chip (S, S, 3) at random.

    Returns:
        It turned, shifted, scaled and mirrored; and that recoloured, partly hidden and spoiled.
    """
    moved = _move(chip, random)
    if random.random() < 0.5:
        moved = np.ascontiguousarray(moved[:, ::-1])
    spoiled = _recolour(occlude(moved, random), random)
    return moved, degrade(spoiled, random) if random.random() < _DEGRADED else spoiled


def _move(chip: U8, random: np.random.Generator) -> U8:
    """Move a chip; what comes in at the edges is a mirror image, or black as behind an edge."""
    side = len(chip)
    middle = (side / 2, side / 2)
    turn = random.uniform(-_TURN, _TURN)
    matrix: Any = cv2.getRotationMatrix2D(middle, turn, 1 + random.uniform(-_SCALE, _SCALE))
    matrix[:, 2] += random.uniform(-_SHIFT, _SHIFT, 2)
    border = cv2.BORDER_REFLECT_101 if random.random() < 0.8 else cv2.BORDER_CONSTANT
    moved = cv2.warpAffine(chip, matrix, (side, side), borderMode=border)
    return np.asarray(moved, np.uint8)


def _recolour(chip: U8, random: np.random.Generator) -> U8:
    """Change contrast, brightness and white balance; take the colour off one in ten."""
    if random.random() < 0.1:
        grey: Any = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
        chip = np.repeat(grey[..., None], 3, axis=2)
    gain = random.uniform(0.75, 1.25) * random.uniform(0.94, 1.06, 3)
    levels = np.arange(256, dtype=np.float64)[:, None] - 128
    table = levels * gain + 128 + random.uniform(-25, 25)
    return np.asarray(cv2.LUT(chip, np.clip(table, 0, 255).astype(np.uint8)[None]), np.uint8)
