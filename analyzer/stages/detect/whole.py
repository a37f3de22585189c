"""No detector: the whole picture is the face, as in collections of cut-out faces."""

from collections.abc import Mapping, Sequence

import numpy as np

from analyzer.inference.runtime import Runtime
from analyzer.types import U8, Detections


def create(*, runtime: Runtime) -> "Whole":
    """Return a detector that takes every picture as a face."""
    return Whole()


class Whole:
    """Takes every picture as a face; see `analyzer.stages.detect.Detector`."""

    provenance: Mapping[str, str] = {}

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Return one box around each picture; see `analyzer.stages.detect.Detector`."""
        return [_whole_picture(image) for image in images]


def _whole_picture(image: U8) -> Detections:
    height, width = image.shape[:2]
    boxes = np.array([[0, 0, width, height]], np.float32)
    return Detections(boxes=boxes, scores=np.ones(1, np.float32))
