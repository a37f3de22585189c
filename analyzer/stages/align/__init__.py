"""Stage: boxes become upright, centred chips of one size.

In: a picture, boxes and landmarks. Out: `Chips`.
Used by the pipeline, by `analyzer.evaluation` and by training.
"""

from collections.abc import Mapping
from typing import Protocol

from analyzer.types import F32, U8, Chips


class Aligner(Protocol):
    """Cuts chips of faces out of a picture."""

    size: int
    """Side of a chip in pixels."""
    provenance: Mapping[str, str]
    """Model file -> sha256, for the report."""

    def align(self, image: U8, boxes: F32, landmarks: F32 | None) -> Chips:
        """Cut one chip for each box.

        Args:
            image: (H, W, 3) uint8, RGB.
            boxes: (n, 4) float32, pixels.
            landmarks: (n, 5, 2) float32, pixels; NaN where unknown; or `None`.

        Returns:
            The n chips with their sharpness, frontality and size.
        """
        ...
