"""Stage: pictures and their faces go to a screen while they are analysed."""

from collections.abc import Sequence
from typing import Protocol

from analyzer.types import F32, U8


class Screen(Protocol):
    """Shows one picture after the other."""

    def show(self, image: U8, boxes: F32, labels: Sequence[str]) -> bool:
        """Show a picture.

        Args:
            image: (H, W, 3) RGB.
            boxes: (n, 4) of its faces.
            labels: what stands at each box.

        Returns:
            Whether to go on: false when somebody asked to stop.
        """
        ...

    def close(self) -> None:
        """Take the screen away."""
        ...
