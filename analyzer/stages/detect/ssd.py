"""OpenCV's own face network: a single-shot detector on a small ResNet, for 300 x 300 pixels.

It finds large and middle-sized faces, in a time that does not depend on the size of the picture.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from analyzer.errors import UsageError, WeightsError
from analyzer.imaging.boxes import area, clip
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _input
from analyzer.types import F32, U8, Detections
from analyzer.weights import locate

_CURE = (
    "download res10_300x300_ssd_iter_140000.caffemodel and its deploy.prototxt, or "
    "opencv_face_detector_uint8.pb and its .pbtxt, from https://github.com/opencv/opencv_3rdparty "
    "and https://github.com/opencv/opencv, and give them as "
    "--detector ssd:weights=FILE,config=FILE"
)
_SIDE = 300
_MEAN = (104, 177, 123)
"""Mean of blue, green and red in its training."""
_READERS = {
    ".caffemodel": "readNetFromCaffe",
    ".onnx": "readNetFromONNX",
    ".pb": "readNetFromTensorflow",
}
"""Suffix of the weights -> function of `cv2.dnn` that reads them."""


def create(
    *, weights: str = "", config: str = "", confidence: float = 0.5, runtime: Runtime
) -> "Ssd":
    """Return OpenCV's face network.

    Args:
        weights: Path of the network's numbers; an .onnx holds its structure, too.
        config: Path of the network's structure.
        confidence: Score below which detections are left out.
        runtime: Not used.

    Raises:
        UsageError: A value out of range, or a form that this OpenCV does not read.
        WeightsError: Weights missing, or of another form.
    """
    _input.require_bounds("ssd", size=_SIDE, confidence=confidence)
    return Ssd(weights, config, confidence)


class Ssd:
    """Finds faces; see `analyzer.stages.detect.Detector`."""

    def __init__(self, file: str, config: str, confidence: float) -> None:
        self._path, self._confidence = locate.of_user(file, cure=_CURE), confidence
        parts = [self._path]
        if self._path.suffix != ".onnx":
            parts.append(locate.of_user(config, cure=_CURE))
        self.provenance: Mapping[str, str] = {part.name: locate.sha256(part) for part in parts}
        self._network = _read(parts)
        self._rows(np.zeros((_SIDE, _SIDE, 3), np.uint8))

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures; see `analyzer.stages.detect.Detector`."""
        return [self._detect(image) for image in images]

    def _detect(self, image: U8) -> Detections:
        height, width = image.shape[:2]
        rows = self._rows(image)
        scale = np.array([width, height, width, height], np.float32)
        boxes = clip(rows[:, 3:] * scale, width, height)
        keep = (rows[:, 2] >= self._confidence) & (area(boxes) > 0)
        order = np.argsort(-rows[keep, 2], kind="stable")
        return Detections(boxes=boxes[keep][order], scores=rows[keep, 2][order])

    def _rows(self, image: U8) -> F32:
        """Return the network's answer: (n, 7) picture, class, score, and corners as shares.

        Raises:
            WeightsError: Another network.
        """
        picture = np.ascontiguousarray(image[:, :, ::-1])
        blob = cv2.dnn.blobFromImage(picture, 1.0, (_SIDE, _SIDE), _MEAN)
        self._network.setInput(blob)
        wrong = f"{self._path}: not a face network of the form (1, 1, n, 7); {_CURE}"
        try:
            output = self._network.forward()
        except cv2.error as error:
            raise WeightsError(wrong) from error
        if output.ndim != 4 or output.shape[:2] != (1, 1) or output.shape[3] != 7:
            raise WeightsError(wrong)
        return np.asarray(output[0, 0], np.float32)


def _read(parts: Sequence[Path]) -> Any:
    """Read a network.

    Args:
        parts: Path of the weights, and of the structure where that is a file of its own.

    Raises:
        UsageError: This OpenCV does not read the form.
        WeightsError: Not such files.
    """
    suffix = parts[0].suffix
    if suffix == ".onnx":
        _input.read_onnx(parts[0], cure=_CURE)
    elif suffix not in _READERS:
        raise UsageError(f"{parts[0]}: weights end with .caffemodel, .pb or .onnx; {_CURE}")
    reader = getattr(cv2.dnn, _READERS[suffix], None)
    if reader is None:
        raise UsageError(
            f"{parts[0]}: OpenCV {cv2.__version__} reads no {suffix}; take the .pb and .pbtxt, or "
            "pip install 'opencv-python<5'"
        )
    files = list(map(str, parts))
    try:
        return reader(*(files[::-1] if suffix == ".caffemodel" else files))
    except cv2.error as error:
        raise WeightsError(f"{', '.join(files)}: OpenCV cannot read it; {_CURE}") from error
