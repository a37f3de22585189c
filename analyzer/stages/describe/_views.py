"""Position of the inputs of several networks in one chip."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from analyzer.types import U8


@dataclass(frozen=True)
class InputView:
    """The chip on which one network was trained."""

    alignment: str
    """`arcface` or `chip`."""
    size: int
    """Side in pixels."""
    padding: float
    """Margin of a `chip`, as a share of the face."""

    @property
    def width(self) -> float:
        """Side of the chip, in sides of the face."""
        return 1 + 2 * self.padding if self.alignment == "chip" else 1.0


@dataclass(frozen=True)
class View:
    """A square in the aligner's chips, and the size to which it is scaled for a network."""

    top: int
    left: int
    side: int
    """Of the square in the chip, in pixels."""
    size: int
    """Of the network's input, in pixels."""

    def take(self, images: U8) -> U8:
        """Cut the square out of chips (n, S, S, 3), and scale it: (n, size, size, 3)."""
        cut = images[:, self.top : self.top + self.side, self.left : self.left + self.side]
        if self.side == self.size:
            return cut
        method = cv2.INTER_AREA if self.side > self.size else cv2.INTER_LINEAR
        scaled = np.empty((len(cut), self.size, self.size, 3), np.uint8)
        for i, image in enumerate(cut):
            square = np.ascontiguousarray(image)
            scaled[i] = cv2.resize(square, (self.size,) * 2, interpolation=method)
        return scaled


def plan(inputs: Sequence[InputView]) -> tuple[str, list[View]]:
    """Plan chips that hold the inputs of all networks.

    Chips of one alignment are cut once, as large and as wide as the largest and widest input; the
    other inputs lie in their middle.

    Args:
        inputs: Input of each network.

    Returns:
        Spec of the aligner, and the position of each input in its chips.
    """
    arcface = max((i.size for i in inputs if i.alignment == "arcface"), default=0)
    chips = [i for i in inputs if i.alignment == "chip"]
    padding = max((i.padding for i in chips), default=0)
    width = 1 + 2 * padding
    beside = max((math.ceil(i.size * width / i.width) for i in chips), default=0)
    views = [
        _middle(arcface, 0, i.size, 1.0)
        if i.alignment == "arcface"
        else _middle(beside, arcface, i.size, i.width / width)
        for i in inputs
    ]
    if not arcface:
        return f"chip:size={beside},padding={padding}", views
    second = f",beside={beside},padding={padding}" if beside else ""
    return f"arcface:size={arcface}{second}", views


def _middle(side: int, left: int, size: int, share: float) -> View:
    """Return the middle of a square.

    Args:
        side: Side of the square in pixels.
        left: Column at which the square begins.
        size: Side of the network's input in pixels.
        share: Side of the middle, as a share of the square's side.
    """
    part = size if math.ceil(size / share) == side else round(side * share)
    return View((side - part) // 2, left + (side - part) // 2, part, size)
