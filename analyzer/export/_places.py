"""Places of labels: at their boxes, inside the picture, and not on each other."""

import unicodedata
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.types import F64, I64
from analyzer.types.groups import dense

_CHARACTER_WIDTH = 0.55
"""Width of a character, as a share of the font size."""
_ABOVE_BOX = (0, 2)
"""Places of `_candidate_tops` that are above the box."""


@dataclass(frozen=True)
class Layout:
    """Sizes in pixels that follow from the picture's."""

    width: int
    height: int

    @property
    def font(self) -> int:
        """Height of a line of text."""
        return max(12, round(min(self.width, self.height) * 0.045))

    @property
    def line(self) -> int:
        """Thickness of a box's line."""
        return max(2, round(min(self.width, self.height) / 240))

    @property
    def outline(self) -> int:
        """Thickness of the black edge that makes colours readable on bright pictures."""
        return max(1, round(self.font / 14))

    @property
    def gap(self) -> int:
        """Space between box and label."""
        return self.outline + 1

    def text_width(self, text: str) -> float:
        """Return the approximate width of a label; East Asian characters count twice."""
        cells = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
        return cells * _CHARACTER_WIDTH * self.font + 2 * self.outline

    def fit(self, text: str) -> str:
        """Return a label, shortened if it is wider than the picture."""
        if self.text_width(text) <= self.width:
            return text
        while text and self.text_width(text + "…") > self.width:
            text = text[:-1]
        return text + "…"


def place_labels(boxes: I64, widths: F64, frame: I64, track: I64, layout: Layout) -> list[str]:
    r"""Return the places of n labels: above the box, else below, higher, inside or lower.

    The first place that is in the picture and free is taken; labels of older tracks choose first.

    Args:
        boxes: (n, 4) pixels.
        widths: (n,) widths of the labels, pixels.
        frame: (n,) number of the picture of each label.
        track: (n,) track of each label.
        layout: Layout of the picture.

    Returns:
        n override tags of the subtitle: `\\an1\\pos(x,bottom)` or `\\an7\\pos(x,top)`.
    """
    room = np.maximum(layout.width - widths, 0)
    x = np.clip(boxes[:, 0] + layout.outline, layout.outline, room + layout.outline)
    tops, fits = _candidate_tops(boxes, layout)
    chosen = _chosen_places(tops, fits, np.stack([x, x + widths]), frame, track, layout.font)
    top = np.take_along_axis(tops, chosen[None], axis=0)[0]
    # Fonts of the system may be taller than ours: their labels grow away from the face.
    up = np.isin(chosen, _ABOVE_BOX)
    y = np.where(up, top + layout.font, top)
    rows = zip(up.tolist(), x.astype(int).tolist(), y.tolist(), strict=True)
    return [f"\\an{1 if grows else 7}\\pos({a},{b})" for grows, a, b in rows]


def _candidate_tops(boxes: I64, layout: Layout) -> tuple[I64, NDArray[np.bool_]]:
    """Return the possible tops of n labels, best first (5, n), and whether they fit (5, n)."""
    above = boxes[:, 1] - layout.gap - layout.font
    below = boxes[:, 3] + layout.gap
    lowest = layout.height - layout.font
    inside = np.clip(boxes[:, 1] + layout.line + layout.gap, 0, lowest)
    tops = np.stack([above, below, above - layout.font, inside, below + layout.font])
    return tops, (tops >= 0) & (tops <= lowest)


def _chosen_places(
    tops: I64, fits: NDArray[np.bool_], sides: F64, frame: I64, track: I64, height: int
) -> I64:
    """Return the place (n,) of each of n labels, an index of `tops`.

    All pictures are done at once: first the first label of each, then the second.

    Args:
        tops: (5, n) top of a label at each place, pixels.
        fits: (5, n) whether a label there is in the picture.
        sides: (2, n) left and right end of the labels, pixels.
        frame: (n,) number of the picture of each label.
        track: (n,) track of each label.
        height: Height of a label, pixels.
    """
    order = np.lexsort((track, frame))
    picture = dense(frame[order])
    first = np.searchsorted(picture, picture)
    rank = np.arange(len(order)) - first
    chosen = np.argmax(fits, axis=0)
    for number in range(1, int(rank.max(initial=0)) + 1):
        columns = np.nonzero(rank == number)[0]
        labels = order[columns]
        taken = order[first[columns][:, None] + np.arange(number)]
        beside = (sides[0, labels, None] < sides[1, taken]) & (
            sides[0, taken] < sides[1, labels, None]
        )
        near = np.abs(tops[:, labels, None] - tops[chosen[taken], taken]) < height
        free = fits[:, labels] & ~(near & beside).any(axis=2)
        chosen[labels] = np.where(free.any(axis=0), np.argmax(free, axis=0), chosen[labels])
    return chosen
