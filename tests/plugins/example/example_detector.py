"""A detector of an installed package: CenterFace at half the size, for big faces in a hurry."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import Detector
from analyzer.types import U8, Detections


def create(*, size: int = 640, runtime: Runtime) -> "HalfSizeDetector":
    """CenterFace on pictures of half the size."""
    return HalfSizeDetector(registry.load("detect", f"centerface:size={size}", runtime=runtime))


class HalfSizeDetector:
    """Detects in every second pixel; see `analyzer.stages.detect.Detector`.

    Args:
        detector: Detector for the small pictures.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self.provenance: Mapping[str, str] = detector.provenance

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of each picture."""
        small = [np.ascontiguousarray(image[::2, ::2]) for image in images]
        return [
            _enlarged(detections, image)
            for detections, image in zip(self._detector.detect(small), images, strict=True)
        ]


def _enlarged(detections: Detections, image: U8) -> Detections:
    height, width = image.shape[:2]
    limits = np.array([width, height, width, height], np.float32)
    marks = detections.landmarks
    return replace(
        detections,
        boxes=np.minimum(2 * detections.boxes, limits),
        landmarks=None if marks is None else 2 * marks,
    )
