"""YuNet: a very small network of the OpenCV Zoo (MIT), with five landmarks.

Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research, 2023.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from analyzer.errors import WeightsError
from analyzer.imaging.boxes import clip
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _input
from analyzer.types import U8, Detections
from analyzer.weights import locate

_CURE = (
    "download face_detection_yunet_*.onnx (MIT) from https://github.com/opencv/opencv_zoo and give "
    "it as --detector yunet:weights=FILE.onnx"
)
_MAX_CANDIDATES = 5000
"""Greatest number of boxes before overlapping ones are removed, as in OpenCV's own examples."""


def create(
    *,
    weights: str = "",
    size: int = 640,
    confidence: float = 0.6,
    overlap: float = 0.3,
    runtime: Runtime,
) -> "YuNet":
    """Return the detector YuNet.

    Args:
        weights: Path of the file.
        size: Longer side of the input in pixels; more finds smaller faces, but misses very large
            ones.
        confidence: Score below which detections are left out.
        overlap: IoU above which two boxes are one face.
        runtime: Not used.

    Raises:
        UsageError: A value out of range.
        WeightsError: Weights missing, or of another form.
    """
    _input.require_bounds("yunet", size=size, confidence=confidence, overlap=overlap)
    return YuNet(weights, size, confidence, overlap)


class YuNet:
    """Finds faces; see `analyzer.stages.detect.Detector`."""

    def __init__(self, file: str, size: int, confidence: float, overlap: float) -> None:
        self._path, self._size = locate.of_user(file, cure=_CURE), size
        self.provenance: Mapping[str, str] = {self._path.name: locate.sha256(self._path)}
        _input.read_onnx(self._path, cure=_CURE)
        self._network = self._or_explain(
            lambda: cv2.FaceDetectorYN.create(
                str(self._path), "", (size, size), confidence, overlap, _MAX_CANDIDATES
            )
        )
        self._rows(np.zeros((_input.MULTIPLE, _input.MULTIPLE, 3), np.uint8))

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures; see `analyzer.stages.detect.Detector`."""
        return [self._detect(image) for image in images]

    def _detect(self, image: U8) -> Detections:
        height, width = image.shape[:2]
        ratio = np.float32(self._size / max(height, width))
        rows = self._rows(_input.resize(image, float(ratio))[:, :, ::-1])
        rows = rows[np.argsort(-rows[:, 14], kind="stable")]
        boxes = rows[:, :4].copy()
        boxes[:, 2:] += boxes[:, :2]
        return Detections(
            boxes=clip(boxes / ratio, width, height),
            scores=rows[:, 14],
            # It names eyes and mouth corners as the person sees them: its right is left here.
            landmarks=rows[:, 4:14].reshape(-1, 5, 2) / ratio,
        )

    def _rows(self, picture: U8) -> Any:
        """Return the network's answer to a picture.

        Args:
            picture: (h, w, 3) uint8, BGR.

        Returns:
            (n, 15) float32: left, top, width, height, five points, score.

        Raises:
            WeightsError: Another network than YuNet.
        """
        self._network.setInputSize((picture.shape[1], picture.shape[0]))
        _, rows = self._or_explain(lambda: self._network.detect(np.ascontiguousarray(picture)))
        return np.empty((0, 15), np.float32) if rows is None else rows

    def _or_explain(self, call: Callable[[], Any]) -> Any:
        """Return the result of a call of OpenCV, and explain its errors."""
        try:
            return call()
        except cv2.error as error:
            raise WeightsError(f"{self._path}: OpenCV finds no YuNet in it; {_CURE}") from error
