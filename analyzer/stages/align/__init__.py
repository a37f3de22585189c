"""Stage: boxes become upright, centred chips of one size."""

from collections.abc import Mapping
from typing import Protocol

from analyzer.types import F32, U8, Chips


class Aligner(Protocol):
    """Cuts faces out of a picture."""

    size: int
    """Side of a chip in pixels."""
    provenance: Mapping[str, str]
    """Model file -> sha256, for the report."""

    def align(self, image: U8, boxes: F32, landmarks: F32 | None) -> Chips:
        """Cut one chip a box.

        Args:
            image: (H, W, 3) RGB.
            boxes: (n, 4).
            landmarks: (n, 5, 2), NaN where unknown, or ``None``.

        Returns:
            n chips with their sharpness, frontality and size.
        """
        ...
