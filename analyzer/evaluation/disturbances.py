"""Ways in which a chip is made worse, to measure what light, cover and compression cost.

They know pictures only. The pictures that the weights are trained on are altered elsewhere, by
other means: what is measured here was not trained on.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analyzer.evaluation import jpeg
from analyzer.types import F64, U8

Disturbance = Callable[[F64, np.random.Generator], F64]
"""Takes a chip (S, S, 3), 0 to 255, and returns it disturbed."""
_COLOURS = np.array(
    [
        (28, 30, 36),
        (236, 234, 226),
        (168, 28, 34),
        (30, 50, 110),
        (112, 116, 120),
        (196, 172, 120),
        (40, 92, 60),
        (232, 190, 40),
    ],
    np.float64,
)
"""Of caps and scarves: black, white, red, navy, grey, khaki, green and yellow; RGB."""
_MASKS = np.array([(150, 190, 214), (240, 240, 238), (36, 36, 40), (226, 178, 186)], np.float64)
"""Of masks: light blue, white, black and pink."""
_RIMS = np.array([(20, 20, 22), (92, 58, 34), (176, 142, 74), (120, 20, 30)], np.float64)
"""Of glasses: black, brown, gold and red."""
_EYES = ((0.345, 0.335), (0.655, 0.335))
"""Centres of both eyes on a chip, across and down, in its sides."""
_LUMA = 2.2
"""Exponent between the values of a picture and the light."""
_PHOTONS, _READ_NOISE, _GAIN = 90, 2.0, 0.22
"""Low light: photons of a white pixel, noise of the sensor in photons, and how bright white
becomes, in linear light."""
_BLUR_PX = 13
"""Length of motion blur, in pixels of a chip of 150."""
_QUALITY = 10
"""Of JPEG, 1 to 100."""


def disturb(name: str, chips: U8, first: int = 0) -> U8:
    """Return chips (n, S, S, 3) disturbed; the same picture of a data set always equally.

    Args:
        name: One of `DISTURBANCES`.
        chips: (n, S, S, 3) uint8, RGB.
        first: Number of the first chip in its data set, which decides shapes and colours.
    """
    disturbed = np.empty_like(chips)
    for i, chip in enumerate(chips):
        random = np.random.default_rng([first + i, *name.encode()])
        changed = DISTURBANCES[name](chip.astype(np.float64), random)
        disturbed[i] = np.rint(changed.clip(0, 255)).astype(np.uint8)
    return disturbed


def _gamma(chip: F64, _: np.random.Generator, *, gamma: float) -> F64:
    """Make it darker, gamma below 1, or brighter, above 1; as ffmpeg's filter `eq` counts."""
    return 255 * (chip / 255) ** (1 / gamma)


def _low_light(chip: F64, random: np.random.Generator) -> F64:
    """Add the noise of few photons (Poisson) and of the sensor (normal), and darken."""
    photons = random.poisson(_PHOTONS * (chip / 255) ** _LUMA)
    light = (photons + random.normal(0, _READ_NOISE, chip.shape)) / _PHOTONS
    return 255 * (_GAIN * light.clip(0, None)) ** (1 / _LUMA)


def _crop(chip: F64, _: np.random.Generator, *, share: float) -> F64:
    """Black out the top, as where the picture's edge cuts a face."""
    return np.where(_grid(len(chip))[1][..., None] < share, 0, chip)


def _cap(chip: F64, random: np.random.Generator, *, share: float) -> F64:
    """Paint a cap of one colour with a darker brim over the top, straight, bent or askew."""
    across, down = _grid(len(chip))
    bends = (np.ones_like(across), 1 - 1.4 * (across - 0.5) ** 2, 0.75 + 0.25 * across)
    edge = share * bends[random.integers(len(bends))]
    colour = _COLOURS[random.integers(len(_COLOURS))]
    brim = np.where(down > edge - 0.3 * share, 0.55, 1.0)
    shade = brim * (1 - 0.8 * (across - 0.5) ** 2)
    cloth = colour * shade[..., None] + random.normal(0, 5, (*across.shape, 1))
    return np.where((down < edge)[..., None], cloth, chip)


def _scarf(chip: F64, random: np.random.Generator, *, share: float) -> F64:
    """Paint a striped, dotted or checked cloth over the top, lower at the sides."""
    across, down = _grid(len(chip))
    edge = share * (0.7 + 0.6 * np.abs(across - 0.5))
    first, second = _COLOURS[random.choice(len(_COLOURS), 2, replace=False)]
    x, y = across * 30, down * 30
    patterns = (
        np.sin(x + y) > 0,
        np.hypot(x % 2 - 1, y % 2 - 1) < 0.6,
        (x % 2 < 1) ^ (y % 2 < 1),
    )
    cloth = np.where(patterns[random.integers(len(patterns))][..., None], first, second)
    folds = 1 + 0.15 * np.sin(40 * across + 25 * down)
    return np.where((down < edge)[..., None], cloth * folds[..., None], chip)


def _glasses(chip: F64, random: np.random.Generator, *, lens: float) -> F64:
    """Paint glasses, round or angular; `lens` is the share of light that the lenses swallow."""
    across, down = _grid(len(chip))
    power = random.choice([2.0, 4.0])
    colour = _RIMS[random.integers(len(_RIMS))]
    rims, lenses = np.zeros_like(across, bool), np.zeros_like(across, bool)
    for x, y in _EYES:
        inside = np.abs((across - x) / 0.13) ** power + np.abs((down - y - 0.01) / 0.095) ** power
        lenses |= inside < 1
        rims |= (inside >= 1) & (inside < 1.45)
    middle = np.abs(down - _EYES[0][1]) < 0.014
    rims |= middle & ~lenses & ((np.abs(across - 0.5) < 0.04) | (np.abs(across - 0.5) > 0.28))
    tinted = np.where(lenses[..., None], (1 - lens) * chip + lens * colour * 0.5, chip)
    return np.where(rims[..., None], colour, tinted)


def _mask(chip: F64, random: np.random.Generator) -> F64:
    """Paint a mask with pleats and straps over the nose, the mouth and the chin."""
    across, down = _grid(len(chip))
    colour = _MASKS[random.integers(len(_MASKS))]
    covered = np.abs((across - 0.5) / 0.35) ** 3 + np.abs((down - 0.7) / 0.2) ** 2.5 < 1
    side = np.abs(across - 0.5)
    straps = (np.abs(down - 0.58 + 0.5 * (side - 0.3)) < 0.008) & (side > 0.3)
    pleats = 1 - 0.12 * (np.sin(down * 90) > 0.8)
    cloth = colour * (pleats * (1 - 1.5 * (across - 0.5) ** 2))[..., None]
    return np.where((covered | straps)[..., None], cloth, chip)


def _jpeg(chip: F64, _: np.random.Generator) -> F64:
    """Compress it."""
    return jpeg.compressed(chip, _QUALITY)


def _motion(chip: F64, random: np.random.Generator) -> F64:
    """Blur it along a line of a random direction."""
    reach = round(_BLUR_PX * len(chip) / 150) // 2
    angle = random.uniform(0, np.pi)
    padded = np.pad(chip, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    side = len(chip)
    total = np.zeros_like(chip)
    for step in range(-reach, reach + 1):
        row = reach + round(step * np.sin(angle))
        column = reach + round(step * np.cos(angle))
        total += padded[row : row + side, column : column + side]
    return total / (2 * reach + 1)


def _grid(side: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return where each pixel's centre is, across and down (side, side), in sides of the chip."""
    centres = (np.arange(side) + 0.5) / side
    across, down = np.meshgrid(centres, centres)
    return across, down


TOP = {"crop": _crop, "cap": _cap, "scarf": _scarf}
DISTURBANCES: Mapping[str, Disturbance] = {
    "gamma 0.5, darker": partial(_gamma, gamma=0.5),
    "gamma 2, brighter": partial(_gamma, gamma=2.0),
    "low light, noise": _low_light,
    **{f"{name}, top 10 %": partial(cover, share=0.1) for name, cover in TOP.items()},
    **{f"{name}, top 20 %": partial(cover, share=0.2) for name, cover in TOP.items()},
    "glasses": partial(_glasses, lens=0.0),
    "sunglasses": partial(_glasses, lens=0.92),
    "mask": _mask,
    f"JPEG, quality {_QUALITY}": _jpeg,
    f"motion blur, {_BLUR_PX} px": _motion,
}
"""Name -> what is done to a chip."""
