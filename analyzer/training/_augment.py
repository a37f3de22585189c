"""Random changes of a chip under which its labels hold."""

from typing import Any

import cv2
import numpy as np

from analyzer.types import U8

_TURN, _SCALE, _SHIFT = 8.0, 0.1, 5.0
"""Largest rotation in degrees, change of scale as a share, and shift in pixels."""
_SMALL = 0.15
"""Share of the pictures that are shrunk and enlarged again."""
_SMALL_PX = 14, 90
_ERASE, _ERASE_SHARE = 0.1, (0.1, 0.35)
"""Share of the pictures with a hidden patch, and the range of its sides."""


def augment(chip: U8, random: np.random.Generator) -> U8:
    """Turn, shift, scale, mirror, recolour, shrink or partly hide one chip (S, S, 3)."""
    chip = _move(chip, random)
    if random.random() < 0.5:
        chip = chip[:, ::-1]
    chip = _recolour(chip, random)
    if random.random() < _SMALL:
        low, high = np.log(_SMALL_PX)
        chip = small(chip, round(np.exp(random.uniform(low, high))), _enlargement(random))
    if random.random() < _ERASE:
        chip = _erase(chip, random)
    return chip


def small(chip: U8, size: int, interpolation: int = cv2.INTER_LINEAR) -> U8:
    """Shrink a chip (S, S, 3) to `size` pixels and enlarge it again."""
    side = len(chip)
    shrunk = cv2.resize(chip, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (side, side), interpolation=interpolation), np.uint8)


def _enlargement(random: np.random.Generator) -> int:
    return int(random.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC]))


def _move(chip: U8, random: np.random.Generator) -> U8:
    side = len(chip)
    middle = (side / 2, side / 2)
    turn = random.uniform(-_TURN, _TURN)
    matrix: Any = cv2.getRotationMatrix2D(middle, turn, 1 + random.uniform(-_SCALE, _SCALE))
    matrix[:, 2] += random.uniform(-_SHIFT, _SHIFT, 2)
    moved = cv2.warpAffine(chip, matrix, (side, side), borderMode=cv2.BORDER_REFLECT_101)
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


def _erase(chip: U8, random: np.random.Generator) -> U8:
    """Cover a rectangle with noise (Zhong et al., "Random erasing data augmentation", 2020)."""
    side = len(chip)
    height, width = (random.uniform(*_ERASE_SHARE, 2) * side).astype(int)
    top, left = random.integers(0, side - height), random.integers(0, side - width)
    chip = chip.copy()
    patch = random.integers(0, 256, (height, width, 3), np.uint8)
    chip[top : top + height, left : left + width] = patch
    return chip
