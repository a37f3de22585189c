"""Faults of film and video on a chip: bad light, blur, compression, few pixels, grain."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from analyzer.types import F32, U8

_GAMMA = 0.4, 2.5
"""Range of the exponent of the light; above 1 it is dark."""
_SMALL_PX = 14, 90
_BLUR_PX = 3, 15
"""Range of the length of a movement in pixels."""
_QUALITY = 8, 60
"""Range of the quality of a JPEG file."""
_GRAIN = 3.0, 22.0
"""Range of the standard deviation of grain, in levels."""
_Random = np.random.Generator


def degrade(chip: U8, random: _Random) -> U8:
    """Return a chip (S, S, 3) with some faults, in the order in which a film gets them."""
    for share, fault in _FAULTS:
        if random.random() < share:
            chip = fault(chip, random)
    return chip


def small(chip: U8, size: int, interpolation: int = cv2.INTER_LINEAR) -> U8:
    """Shrink a chip (S, S, 3) to `size` pixels and enlarge it again."""
    side = len(chip)
    shrunk = cv2.resize(chip, (size, size), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(shrunk, (side, side), interpolation=interpolation), np.uint8)


def _gamma(chip: U8, random: _Random) -> U8:
    exponent = np.exp(random.uniform(*np.log(_GAMMA)))
    table = 255 * (np.arange(256) / 255) ** exponent
    return np.asarray(cv2.LUT(chip, table.round().astype(np.uint8)), np.uint8)


def _side_light(chip: U8, random: _Random) -> U8:
    """Darken a chip from one side to the other."""
    side, angle = len(chip), random.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(*[np.linspace(-1, 1, side, dtype=np.float32)] * 2)
    slope = x * np.cos(angle) + y * np.sin(angle)
    light = 1 - random.uniform(0.2, 0.8) / (1 + np.exp(-random.uniform(1, 6) * slope))
    return _levels(chip * light[..., None].astype(np.float32))


def _motion(chip: U8, random: _Random) -> U8:
    """Smear a chip along a line."""
    length, angle = int(random.integers(*_BLUR_PX)), random.uniform(0, np.pi)
    kernel = np.zeros((length, length), np.float32)
    middle = (length - 1) / 2
    offset = middle * np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(int(v) for v in np.round(middle + sign * offset)) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(chip, -1, kernel / kernel.sum()), np.uint8)


def _defocus(chip: U8, random: _Random) -> U8:
    return np.asarray(cv2.GaussianBlur(chip, (0, 0), random.uniform(0.8, 3.5)), np.uint8)


def _few_pixels(chip: U8, random: _Random) -> U8:
    size = round(np.exp(random.uniform(*np.log(_SMALL_PX))))
    return small(chip, size, int(random.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC])))


def _grain(chip: U8, random: _Random) -> U8:
    """Add noise of one colour or of three, with grains of one pixel or several."""
    side, deviation = len(chip), random.uniform(*_GRAIN)
    coarse = int(side / random.uniform(1, 2.5))
    noise: Any = random.standard_normal((coarse, coarse, random.choice([1, 3])), np.float32)
    noise = cv2.resize(noise, (side, side), interpolation=cv2.INTER_LINEAR).reshape(side, side, -1)
    return _levels(chip + deviation * noise.astype(np.float32))


def _compressed(chip: U8, random: _Random) -> U8:
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(*_QUALITY))]
    file: Any = cv2.imencode(".jpg", chip, quality)[1]
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_COLOR), np.uint8)


def _levels(values: F32) -> U8:
    return np.clip(values, 0, 255).astype(np.uint8)


_FAULTS: tuple[tuple[float, Callable[[U8, _Random], U8]], ...] = (
    (0.25, _gamma),
    (0.12, _side_light),
    (0.08, _motion),
    (0.08, _defocus),
    (0.25, _few_pixels),
    (0.1, _grain),
    (0.12, _compressed),
)
"""Share of the chips with each fault, and its function."""
