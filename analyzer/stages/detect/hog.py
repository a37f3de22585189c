"""dlib's frontal faces: gradients and a linear classifier, without a network.

Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005; the classifier
is a part of dlib (Boost licence). It sees faces of 80 pixels and more that look into the camera.
"""

from collections.abc import Mapping, Sequence

import dlib
import numpy as np

from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _dlib
from analyzer.types import U8, Detections


def create(*, upsample: int = 1, margin: float = 0.2, runtime: Runtime) -> "Hog":
    """Return dlib's detector of frontal faces.

    Args:
        upsample: How often the picture is doubled: 0 finds faces of 80 pixels, 1 of 40, 2 of 20;
            each step takes four times as long.
        margin: Least distance from the boundary between face and no face; less finds more. At 0,
            which is dlib's own, folds of cloth are found as faces, too.
        runtime: Not used.

    Raises:
        UsageError: An upsample out of range.
    """
    _dlib.require_upsample("hog", upsample)
    return Hog(upsample, margin)


class Hog:
    """Finds frontal faces; see `analyzer.stages.detect.Detector`."""

    provenance: Mapping[str, str] = {}

    def __init__(self, upsample: int, margin: float) -> None:
        self._upsample, self._margin = upsample, margin
        self._detector = dlib.get_frontal_face_detector()

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures; see `analyzer.stages.detect.Detector`."""
        return [self._detect(np.ascontiguousarray(image)) for image in images]

    def _detect(self, image: U8) -> Detections:
        rectangles, margins, _ = self._detector.run(image, self._upsample, self._margin)
        return _dlib.detections(rectangles, margins, image)
