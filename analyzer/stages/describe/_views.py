"""Where in a chip each of several networks finds the picture that it was trained on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from analyzer.types import U8


@dataclass(frozen=True)
class InputView:
    """The chip that one network wants."""

    alignment: str
    """``arcface`` or ``chip``."""
    size: int
    padding: float

    @property
    def width(self) -> float:
        """Side of what it shows, in sides of the face."""
        return 1 + 2 * self.padding if self.alignment == "chip" else 1.0


@dataclass(frozen=True)
class View:
    """A square in the aligner's chips, and the size in which a network wants it."""

    top: int
    left: int
    side: int
    size: int

    def take(self, images: U8) -> U8:
        """Cut it (n, size, size, 3) out of chips."""
        cut = images[:, self.top : self.top + self.side, self.left : self.left + self.side]
        if self.side == self.size:
            return cut
        how = cv2.INTER_AREA if self.side > self.size else cv2.INTER_LINEAR
        scaled = np.empty((len(cut), self.size, self.size, 3), np.uint8)
        for i, image in enumerate(cut):
            scaled[i] = cv2.resize(np.ascontiguousarray(image), (self.size,) * 2, interpolation=how)
        return scaled


def plan(wanted: Sequence[InputView]) -> tuple[str, list[View]]:
    """The aligner whose chips hold what all networks want, and where.

    Chips of one alignment are cut once, as large and wide as any network wants them; the others'
    lie in their middle.
    """
    arcface = max((w.size for w in wanted if w.alignment == "arcface"), default=0)
    chips = [w for w in wanted if w.alignment == "chip"]
    padding = max((w.padding for w in chips), default=0)
    width = 1 + 2 * padding
    beside = max((math.ceil(w.size * width / w.width) for w in chips), default=0)
    views = [
        _middle(arcface, 0, w.size, 1.0)
        if w.alignment == "arcface"
        else _middle(beside, arcface, w.size, w.width / width)
        for w in wanted
    ]
    if not arcface:
        return f"chip:size={beside},padding={padding}", views
    second = f",beside={beside},padding={padding}" if beside else ""
    return f"arcface:size={arcface}{second}", views


def _middle(side: int, left: int, size: int, share: float) -> View:
    """The middle of a square that begins at the left; ``share`` of its side."""
    part = size if math.ceil(size / share) == side else round(side * share)
    return View((side - part) // 2, left + (side - part) // 2, part, size)
