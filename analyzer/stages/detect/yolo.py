"""Any YOLO network for faces, through ultralytics (AGPL-3.0), with its five key points if it has.

ultralytics is installed on request only, and its licence asks that programs which use it be open.
It sends and loads nothing over the network: `analyzer` tells it so before it is imported.
"""

import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import ultralytics

from analyzer.errors import UsageError, WeightsError
from analyzer.imaging.boxes import clip
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _input
from analyzer.types import U8, Detections
from analyzer.weights import locate

_CURE = (
    "give a YOLO network trained on faces as --detector yolo:weights=FILE.pt (or .onnx); "
    "docs/models.md names some"
)


def create(
    *,
    weights: str = "",
    size: int = 640,
    confidence: float = 0.4,
    overlap: float = 0.5,
    runtime: Runtime,
) -> "Yolo":
    """Return a detector by a YOLO network for faces.

    Args:
        weights: Path of the file; a .pt can run code when it is loaded, so take it only from a
            source that you trust.
        size: Longer side of the input in pixels, more finds smaller faces; an .onnx of fixed size
            has its own.
        confidence: Score below which detections are left out.
        overlap: IoU above which two boxes are one face.
        runtime: Runtime that names the device.

    Raises:
        UsageError: A value out of range, or a file of another form.
        WeightsError: Weights missing, or not such a network.
    """
    _input.require_bounds("yolo", size=size, confidence=confidence, overlap=overlap)
    return Yolo(weights, size, confidence, overlap, runtime)


class Yolo:
    """Finds faces; see `analyzer.stages.detect.Detector`."""

    def __init__(
        self, file: str, size: int, confidence: float, overlap: float, runtime: Runtime
    ) -> None:
        self._path = locate.of_user(file, cure=_CURE)
        if self._path.suffix not in (".pt", ".onnx"):
            raise UsageError(f"{self._path}: weights end with .pt or .onnx; {_CURE}")
        self.provenance: Mapping[str, str] = {self._path.name: locate.sha256(self._path)}
        if self._path.suffix == ".onnx":
            graph = _input.read_onnx(self._path, cure=_CURE)
            if "stride" not in {entry.key for entry in graph.metadata_props}:
                # Without what ultralytics notes in its exports, it reads boxes out of anything.
                raise WeightsError(f"{self._path}: not exported by ultralytics; {_CURE}")
        self._options = {
            "imgsz": _input.round_up(size),
            "conf": confidence,
            "iou": overlap,
            "device": None if runtime.device == "auto" else runtime.device,
            "verbose": False,
        }
        self._batch = runtime.batch_size
        self._network = self._load()

    def _load(self) -> Any:
        """Load the network, and run it once.

        Raises:
            WeightsError: Not a network that ultralytics loads, or one without boxes.
        """
        logging.getLogger("ultralytics").setLevel(logging.ERROR)
        # Otherwise its messages go to standard output, where tables may go.
        with contextlib.redirect_stdout(None):
            try:
                network = ultralytics.YOLO(str(self._path))
                result = network.predict(np.zeros((64, 64, 3), np.uint8), **self._options)
            except Exception as error:  # torch, pickle and ultralytics raise what they like
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                raise WeightsError(
                    f"{self._path}: ultralytics cannot load it ({reason}); {_CURE}"
                ) from error
        if result[0].boxes is None:
            raise WeightsError(f"{self._path}: a network that finds no boxes; {_CURE}")
        return network

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures of one size; see `analyzer.stages.detect.Detector`."""
        detections: list[Detections] = []
        for start in range(0, len(images), self._batch):
            batch = images[start : start + self._batch]
            pictures = [np.ascontiguousarray(image[:, :, ::-1]) for image in batch]
            detections += map(_detections, self._network.predict(pictures, **self._options))
        return detections


def _detections(result: Any) -> Detections:
    """Convert the network's answer for one picture."""
    height, width = result.orig_shape
    boxes = result.boxes.xyxy.cpu().numpy().astype(np.float32)
    scores = result.boxes.conf.cpu().numpy().astype(np.float32)
    order = np.argsort(-scores, kind="stable")
    marks = None
    if result.keypoints is not None and result.keypoints.xy.shape[1] == 5:
        marks = result.keypoints.xy.cpu().numpy().astype(np.float32).reshape(-1, 5, 2)[order]
    return Detections(
        boxes=clip(boxes[order], width, height), scores=scores[order], landmarks=marks
    )
