"""dlib's chips: five landmarks, eyes level, a margin around the face.

FairFace was cut the same way.
"""

import numpy as np

from analyzer.inference.runtime import Runtime
from analyzer.stages.align._dlib_points import Predictor, chips, facing_one_way, three_points
from analyzer.types import F32, U8, Chips


def create(*, size: int = 150, padding: float = 0.25, runtime: Runtime) -> "ChipAligner":
    """Return an aligner that cuts dlib's chips.

    Args:
        size: Side of the chip in pixels.
        padding: Margin around the face, as a share of the face.
        runtime: Not used.
    """
    return ChipAligner(size, padding)


class ChipAligner:
    """Cuts chips; see `analyzer.stages.align.Aligner`."""

    def __init__(self, size: int, padding: float) -> None:
        self.size, self._padding = size, padding
        self._predictor = Predictor()
        self.provenance = self._predictor.provenance

    def align(self, image: U8, boxes: F32, landmarks: F32 | None) -> Chips:
        """Cut one chip for each box; see `analyzer.stages.align.Aligner`."""
        images = np.empty((len(boxes), self.size, self.size, 3), np.uint8)
        faces = self._predictor.locate(image, boxes)
        points = three_points(faces)
        for i, face in enumerate(faces):
            images[i] = facing_one_way(face.chip(self.size, self._padding), points[i])
        return chips(images, images, points, boxes, image)
