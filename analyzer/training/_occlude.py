"""Things before a face: hats, scarves, hair, glasses, masks, hands, the edge of the picture.

Chips are aligned: the eyes, the nose and the mouth of most faces lie at the places below. What a
network is to see of a hat is that it hides the forehead and says nothing; so its colour and texture
are those of anything, and it comes to all classes alike.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from analyzer.types import U8

_EYES = (0.345, 0.34), (0.655, 0.34)
"""Places (x, y) of the eyes, in sides of the chip; see `analyzer.stages.align.chip`."""
_MOUTH = 0.5, 0.68
_Random = np.random.Generator


def occlude(chip: U8, random: _Random) -> U8:
    """Return a chip (S, S, 3) of which, in some of the cases, a part is hidden."""
    for share, mask in _MASKS:
        if random.random() < share:
            chip = _cover(chip, mask(len(chip), random), random)
    return chip


def _cover(chip: U8, mask: U8, random: _Random) -> U8:
    """Lay a texture over a mask (S, S) of a chip; a fifth of them let some light through."""
    share = random.uniform(0.5, 0.95) if random.random() < 0.2 else 1.0
    weight = mask.astype(np.float32) * np.float32(share / 255)
    texture = np.ascontiguousarray(_texture(chip, random), np.uint8)
    mixed = cv2.blendLinear(np.ascontiguousarray(chip), texture, 1 - weight, weight)
    return np.asarray(mixed, np.uint8)


def _texture(chip: U8, random: _Random) -> "np.ndarray[Any, Any]":
    """Return pixels (S, S, 3): one colour, stripes, spots, noise, or another part of the chip."""
    side, kind = len(chip), random.integers(5)
    first, second = random.integers(0, 256, (2, 3)).astype(np.float32)
    if random.random() < 0.4:
        first = np.full(3, random.integers(0, 70), np.float32)
    if kind == 0:
        return np.broadcast_to(first, (side, side, 3))
    if kind == 1:
        x, y = np.meshgrid(*[np.arange(side, dtype=np.float32)] * 2)
        angle = random.uniform(0, np.pi)
        wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) * random.uniform(0.1, 1.5))
        return np.where(wave[..., None] > random.uniform(-0.8, 0.8), first, second)
    if kind == 2:
        return np.roll(chip, random.integers(side // 4, side, 2), (0, 1))
    coarse = int(random.integers(3, 40)) if kind == 3 else side
    noise: Any = random.random((coarse, coarse, 1), np.float32)
    noise = cv2.resize(noise, (side, side), interpolation=cv2.INTER_LINEAR)[..., None]
    return first + (second - first) * noise.astype(np.float32)


def _top(side: int, random: _Random) -> U8:
    """Return what a hat, a scarf, a fringe or the edge of the picture hides, from the top."""
    mask = np.zeros((side, side), np.uint8)
    low = random.uniform(0.04, 0.3) * side
    tilt, bow = random.normal(0, 0.06, 2) * side
    x = np.linspace(0, side - 1, 9)
    along = 2 * x / (side - 1) - 1
    y = low + tilt * along + bow * along**2 + random.normal(0, 0.012 * side, 9)
    corners = [(side - 1, -1), (0, -1), *zip(x, y, strict=True)]
    return _filled(mask, corners, random)


def _sides(side: int, random: _Random) -> U8:
    """Return what hair or a veil hides: the top and both sides."""
    mask = np.full((side, side), 255, np.uint8)
    centre = (round(side * random.normal(0.5, 0.03)), round(side * random.uniform(0.5, 0.62)))
    axes = (round(side * random.uniform(0.25, 0.42)), round(side * random.uniform(0.3, 0.5)))
    cv2.ellipse(mask, centre, axes, random.normal(0, 5), 0, 360, 0, -1)
    if random.random() < 0.5:
        mask[centre[1] :] = 0
    return mask


def _glasses(side: int, random: _Random) -> U8:
    """Return dark glasses, or frames alone."""
    mask = np.zeros((side, side), np.uint8)
    radius = random.uniform(0.07, 0.14), random.uniform(0.05, 0.11)
    width = -1 if random.random() < 0.6 else int(random.integers(1, 5))
    axes = (round(side * radius[0]), round(side * radius[1]))
    shift = random.normal(0, 0.015, 2)
    eyes = [tuple(int(v) for v in np.round((np.array(eye) + shift) * side)) for eye in _EYES]
    for eye in eyes:
        cv2.ellipse(mask, eye, axes, 0, 0, 360, 255, width)
    cv2.line(mask, eyes[0], eyes[1], 255, int(random.integers(1, 4)))
    return mask


def _mask(side: int, random: _Random) -> U8:
    """Return what a medical mask, a scarf or a hand before the mouth hides."""
    mask = np.zeros((side, side), np.uint8)
    top, half = random.uniform(0.44, 0.62), random.uniform(0.16, 0.38)
    corners = [
        (_MOUTH[0] + half * sign * scale, y)
        for sign, rows in ((-1, (top, 0.75, 1.05)), (1, (1.05, 0.75, top)))
        for y, scale in zip(rows, (1, 1, 0.7) if sign < 0 else (0.7, 1, 1), strict=True)
    ]
    jittered = np.array(corners) + random.normal(0, 0.02, (len(corners), 2))
    return _filled(mask, jittered * side, random)


def _blob(side: int, random: _Random) -> U8:
    """Return an ellipse or a rectangle anywhere (Zhong et al., "Random erasing", 2020)."""
    mask = np.zeros((side, side), np.uint8)
    centre = random.uniform(0, side, 2)
    half = random.uniform(0.05, 0.2, 2) * side
    if random.random() < 0.5:
        (left, top), (right, bottom) = (centre - half).astype(int), (centre + half).astype(int)
        mask[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 255
        return mask
    place, axes = (tuple(int(v) for v in values) for values in (centre, half))
    cv2.ellipse(mask, place, axes, random.uniform(0, 180), 0, 360, 255, -1)
    return mask


def _filled(mask: U8, corners: Any, random: _Random) -> U8:
    cv2.fillPoly(mask, [np.round(np.array(list(corners))).astype(np.int32)], 255)
    if random.random() < 0.5:
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), random.uniform(0.7, 3)), np.uint8)
    return mask


_MASKS: tuple[tuple[float, Callable[[int, _Random], U8]], ...] = (
    (0.55, _top),
    (0.06, _sides),
    (0.07, _glasses),
    (0.07, _mask),
    (0.1, _blob),
)
"""Share of the chips with each occlusion, and the function of its mask (S, S), 0 to 255."""
