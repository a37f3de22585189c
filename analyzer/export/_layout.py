"""Sizes of what is drawn over a picture: lines, letters and labels, in pixels."""

import unicodedata
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from PIL import ImageFont

SUBTITLE_FONT = 0.84
"""Size of the letters of a subtitle as a share of its font size, which includes the line's gap."""
_PILLOW_FONT = 1.0
_MEASURED_PX = 256
_LATIN = 0x250
"""First character that comes from a font of the system, which is not measured."""
_SYSTEM_WIDTH = 0.65
"""Width of such a character, as a share of the size of its letters; those of East Asia twice."""
_QUIET_FONT = 0.7
"""Size of the text at faces of nobody, as a share of that at persons."""


@dataclass(frozen=True)
class Layout:
    """Sizes in pixels that follow from the picture's."""

    width: int
    height: int
    letters: float = _PILLOW_FONT
    """Size of the letters as a share of the font size."""

    @cached_property
    def font(self) -> int:
        """Height of a line of text."""
        return max(12, round(min(self.width, self.height) * 0.045))

    @cached_property
    def quiet_font(self) -> int:
        """Height of a line of text at faces of nobody."""
        return max(9, round(self.font * _QUIET_FONT))

    @cached_property
    def line(self) -> int:
        """Thickness of a box's line."""
        return max(2, round(min(self.width, self.height) / 240))

    @cached_property
    def quiet_line(self) -> int:
        """Thickness of the line of a box of nobody, and of lines from labels to boxes."""
        return max(1, round(self.line / 2))

    @cached_property
    def outline(self) -> int:
        """Thickness of the black edge that makes colours readable on bright pictures."""
        return max(1, round(self.font / 14))

    @cached_property
    def gap(self) -> int:
        """Space between box and label."""
        return self.outline + 1

    def text_width(self, text: str, font: int | None = None) -> float:
        """Return the width of a label, with its black edge.

        Args:
            text: The label.
            font: Height of the line of text; by default, that at persons.
        """
        letters = sum(map(_advance, text)) * self.letters
        return letters * (font or self.font) + 2 * self.outline

    def fit(self, text: str) -> str:
        """Return a label, shortened if it is wider than the picture."""
        if self.text_width(text) <= self.width:
            return text
        while text and self.text_width(text + "…") > self.width:
            text = text[:-1]
        return text + "…"


@lru_cache(maxsize=4096)
def _advance(character: str) -> float:
    """Return the width of a character as a share of the size of its letters."""
    if ord(character) < _LATIN:
        return float(_font().getlength(character)) / _MEASURED_PX
    return _SYSTEM_WIDTH * (2 if unicodedata.east_asian_width(character) in "WF" else 1)


@lru_cache(maxsize=1)
def _font() -> Any:
    return ImageFont.load_default(_MEASURED_PX)
