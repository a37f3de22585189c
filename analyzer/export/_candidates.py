"""Places that a label can have beside its box, from the best to the worst."""

import math
from dataclasses import dataclass

import numpy as np

from analyzer.export._layout import Layout
from analyzer.types import F32, F64, I64

_LEFT, _MIDDLE, _RIGHT = 0.0, 0.5, 1.0
"""Where a label above or below its box stands along the box's side."""
_INSIDE_COST = 2.0
_ROOM = 1.08
"""Height of a line of text with the space to the next, in lines."""


@dataclass(frozen=True)
class LabelPlace:
    """A place relative to a box: the label's point at shares of the box, and how far from it."""

    box: tuple[float, float]
    """Point of the box, as shares of its sides."""
    label: tuple[float, float]
    """Point of the label that comes there, as shares of its sides."""
    out: tuple[float, float]
    """Space between both: in gaps where it is 1 or -1; further ones stand lines of text away."""
    cost: float
    """How bad it is, from 0; what lies on others is worse than any of these."""

    @property
    def stands_away(self) -> bool:
        """Whether a line leads to the box."""
        return max(map(abs, self.out)) > 1

    @property
    def is_above(self) -> bool:
        """Whether the label grows away from its box when its letters are higher."""
        return self.label[1] == 1.0


def _places() -> tuple[LabelPlace, ...]:
    """Return the places: above and below, up to three lines away; beside; on the own face."""
    found = []
    for step in range(4):
        for number, along in enumerate((_LEFT, _RIGHT, _MIDDLE)[: 2 if step else 3]):
            cost, out = 0.25 * step + 0.04 * number, 1.0 + step
            found.append(LabelPlace((along, 0.0), (along, 1.0), (0.0, -out), cost))
            found.append(LabelPlace((along, 1.0), (along, 0.0), (0.0, out), cost + 0.1))
    for step in range(3):
        for along in (_MIDDLE,) if step else (_LEFT, _MIDDLE, _RIGHT):
            cost, out = 0.3 + 0.3 * step + 0.02 * along, 1.0 + step
            found.append(LabelPlace((1.0, along), (0.0, along), (out, 0.0), cost))
            found.append(LabelPlace((0.0, along), (1.0, along), (-out, 0.0), cost + 0.02))
    found.append(LabelPlace((_LEFT, 0.0), (_LEFT, 0.0), (0.5, 1.0), _INSIDE_COST))
    found.append(LabelPlace((_LEFT, 1.0), (_LEFT, 1.0), (0.5, -1.0), _INSIDE_COST + 0.1))
    return tuple(sorted(found, key=lambda place: place.cost))


PLACES = _places()


def label_boxes(boxes: F32, sizes: F32, place: LabelPlace, layout: Layout) -> F32:
    """Return the boxes (n, 4) of labels at a place; inside the picture, if they fit it.

    Args:
        boxes: (n, 4) boxes of the faces, pixels.
        sizes: (n, 2) width and height of the labels, pixels.
        place: Where they stand.
        layout: Layout of the picture.
    """
    placed = np.empty((len(boxes), 4), np.float32)
    for axis, side in enumerate((layout.width, layout.height)):
        low, high, size = boxes[:, axis], boxes[:, axis + 2], sizes[:, axis]
        along, back = np.float32(place.box[axis]), np.float32(place.label[axis])
        corner = low + (high - low) * along - size * back + _distance(place.out[axis], layout)
        placed[:, axis] = np.clip(corner, 0, np.maximum(side - size, 0))
        placed[:, axis + 2] = placed[:, axis] + size
    return placed


def reach(boxes: F32, sizes: F32, layout: Layout) -> F32:
    """Return boxes (n, 4) around faces and all places of their labels; see `label_boxes`."""
    room = sizes + max(_distance(max(place.out), layout) for place in PLACES)
    picture = np.array([layout.width, layout.height], np.float32)
    low = np.minimum(boxes[:, :2] - room, picture - sizes)
    high = np.maximum(boxes[:, 2:] + room, sizes)
    return np.hstack([low, high]).astype(np.float32)


def _distance(out: float, layout: Layout) -> float:
    """Return the space to the box in pixels."""
    further = max(abs(out) - 1, 0) * _ROOM * layout.font
    return math.copysign(layout.gap * min(abs(out), 1) + further, out)


def leaders(boxes: I64, labels: I64, thickness: int) -> F64:
    """Return the lines from labels to boxes, upright or level, as boxes (n, 4); empty where none.

    Args:
        boxes: (n, 4) boxes of the faces, pixels.
        labels: (n, 4) boxes of their labels, pixels.
        thickness: Of the lines, pixels.
    """
    low = np.maximum(boxes[:, :2], labels[:, :2])
    high = np.minimum(boxes[:, 2:], labels[:, 2:])
    # Along one axis both have a stretch in common, in the middle of which the line stands; along
    # the other, there is a space between them.
    common = high - low
    upright = common[:, 0] >= thickness
    level = common[:, 1] >= thickness
    middle = (low + high - thickness) / 2
    begin = np.where(common >= 0, middle, high)
    end = np.where(common >= 0, middle + thickness, low)
    is_line = upright ^ level
    return np.where(is_line[:, None], np.hstack([begin, end]), 0.0).astype(np.float64)
