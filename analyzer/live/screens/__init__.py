"""Plug-in: screens that show pictures and their faces during the analysis.

In: pictures, boxes and labels. Out: a picture on a screen, and the wish to stop.
Used by the command `webcam`.
"""

from collections.abc import Sequence
from typing import Protocol

from analyzer.types import F32, U8


class Screen(Protocol):
    """A screen that shows one picture after the other."""

    def show(self, image: U8, boxes: F32, labels: Sequence[str]) -> bool:
        """Show a picture.

        Args:
            image: (H, W, 3) uint8, RGB.
            boxes: (n, 4) float32, boxes of its faces in pixels.
            labels: Text at each box.

        Returns:
            Whether to go on; false when the user asked to stop.
        """
        ...

    def close(self) -> None:
        """Close the screen."""
        ...
