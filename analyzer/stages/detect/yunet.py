"""YuNet: a very small network of the OpenCV Zoo (MIT), with five landmarks.

Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research, 2023.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np

from analyzer.errors import WeightsError
from analyzer.imaging import boxes as geometry
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _input
from analyzer.types import U8, Detections
from analyzer.weights import locate as files

_CURE = (
    "download face_detection_yunet_*.onnx (MIT) from https://github.com/opencv/opencv_zoo and give "
    "it as --detector yunet:weights=FILE.onnx"
)
_MOST = 5000
"""Candidates that compete, as in OpenCV's own examples."""


def create(
    *,
    weights: str = "",
    size: int = 640,
    confidence: float = 0.6,
    overlap: float = 0.3,
    runtime: Runtime,
) -> "YuNet":
    """YuNet; weights: its ONNX file, size: longer side of its input in pixels.

    Args:
        weights: the file.
        size: pictures are scaled to it; more finds smaller faces, and no longer very large ones.
        confidence: detections below it are left out.
        overlap: IoU above which two boxes are one face.
        runtime: not needed.

    Raises:
        UsageError: a value out of range.
        WeightsError: weights missing, or of another form.
    """
    _input.require_bounds("yunet", size=size, confidence=confidence, overlap=overlap)
    return YuNet(weights, size, confidence, overlap)


class YuNet:
    """Finds faces; see `analyzer.stages.detect.Detector`."""

    def __init__(self, file: str, size: int, confidence: float, overlap: float) -> None:
        self._path, self._size = files.of_user(file, cure=_CURE), size
        self.provenance: Mapping[str, str] = {self._path.name: files.sha256(self._path)}
        _input.read_onnx(self._path, cure=_CURE)
        self._network = self._or_explain(
            lambda: cv2.FaceDetectorYN.create(
                str(self._path), "", (size, size), confidence, overlap, _MOST
            )
        )
        self._faces(np.zeros((_input.MULTIPLE, _input.MULTIPLE, 3), np.uint8))

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures; see `analyzer.stages.detect.Detector`."""
        return [self._one(image) for image in images]

    def _one(self, image: U8) -> Detections:
        height, width = image.shape[:2]
        ratio = np.float32(self._size / max(height, width))
        found = self._faces(_input.resize(image, float(ratio))[:, :, ::-1])
        found = found[np.argsort(-found[:, 14], kind="stable")]
        boxes = found[:, :4].copy()
        boxes[:, 2:] += boxes[:, :2]
        return Detections(
            boxes=geometry.clip(boxes / ratio, width, height),
            scores=found[:, 14],
            # It names eyes and corners from the person's side: its right is the picture's left.
            landmarks=found[:, 4:14].reshape(-1, 5, 2) / ratio,
        )

    def _faces(self, picture: U8) -> Any:
        """Its answer to a picture (h, w, 3), BGR: (n, 15) left, top, width, height, points, score.

        Raises:
            WeightsError: the network is another than YuNet.
        """
        self._network.setInputSize((picture.shape[1], picture.shape[0]))
        _, found = self._or_explain(lambda: self._network.detect(np.ascontiguousarray(picture)))
        return np.empty((0, 15), np.float32) if found is None else found

    def _or_explain(self, do: Any) -> Any:
        try:
            return do()
        except cv2.error as error:
            raise WeightsError(f"{self._path}: OpenCV finds no YuNet in it; {_CURE}") from error
