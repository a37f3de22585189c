"""RetinaFace: networks on MobileNet or ResNet, with five landmarks.

Deng et al., "RetinaFace: Single-Shot Multi-Level Face Localisation in the Wild", CVPR 2020; in the
form of its usual PyTorch training: offsets from anchors of two sizes in each cell of three strides.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analyzer.errors import WeightsError
from analyzer.imaging.boxes import clip, nms
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _input
from analyzer.stages.detect._network import DetectorNetwork
from analyzer.types import F32, U8, Detections

_CURE = (
    "give a RetinaFace network in ONNX form as --detector retinaface:weights=FILE.onnx, such as "
    "retinaface_mv2.onnx from https://github.com/yakhyo/uniface, which python -m analyzer models "
    "fetch retinaface_mv2 gets"
)
_MEAN = np.array([104, 117, 123], np.float32)
"""Mean of blue, green and red in its training."""
_ANCHORS = {8: (16, 32), 16: (64, 128), 32: (256, 512)}
"""Stride -> sides of the anchors of each of its cells, in pixels."""
_CENTRE_STEP, _SIDE_STEP = 0.1, 0.2
"""What an offset of 1 means: of an anchor's side, and of the logarithm of its side."""
_CLASSES, _BOX, _MARKS = 2, 4, 10
"""Number of values for each anchor, which distinguishes the outputs."""


def create(
    *,
    weights: str = "",
    size: int = 640,
    confidence: float = 0.5,
    overlap: float = 0.4,
    runtime: Runtime,
) -> "RetinaFace":
    """Return a detector by a RetinaFace network.

    Args:
        weights: Path of the file, or name of a fetched model.
        size: Longer side of the input in pixels, more finds smaller faces; a network of fixed size
            has its own.
        confidence: Score below which detections are left out.
        overlap: IoU above which two boxes are one face.
        runtime: Runtime that executes the network.

    Raises:
        UsageError: A value out of range.
        WeightsError: Weights missing, altered, or of another form.
    """
    _input.require_bounds("retinaface", size=size, confidence=confidence, overlap=overlap)
    return RetinaFace(weights, size, confidence, overlap, runtime)


class RetinaFace:
    """Finds faces; see `analyzer.stages.detect.Detector`."""

    def __init__(
        self, file: str, size: int, confidence: float, overlap: float, runtime: Runtime
    ) -> None:
        self._network = DetectorNetwork.of_user(
            file, size=size, normalise=_normalise, cure=_CURE, runtime=runtime
        )
        self.provenance: Mapping[str, str] = self._network.provenance
        self._confidence, self._overlap = confidence, overlap
        # A black picture shows whether it answers as RetinaFace does, before any job begins.
        self._detect([np.zeros((_input.MULTIPLE, _input.MULTIPLE, 3), np.uint8)])

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures of one size; see `analyzer.stages.detect.Detector`."""
        batches = self._network.batches(images)
        return [detections for batch in batches for detections in self._detect(batch)]

    def _detect(self, images: Sequence[U8]) -> list[Detections]:
        height, width = images[0].shape[:2]
        answer = self._network.run(images)
        anchors = _anchors(answer.height, answer.width)  # (A, 3)
        maps = self._maps(answer.outputs, len(images), len(anchors))
        return [
            self._decode(
                {kind: m[i] for kind, m in maps.items()}, anchors, answer.ratio, width, height
            )
            for i in range(len(images))
        ]

    def _maps(self, outputs: Sequence[F32], batch: int, anchors: int) -> dict[int, Any]:
        """Return the outputs (B, A, values for each anchor) by their kind.

        Raises:
            WeightsError: The outputs are not those of RetinaFace.
        """
        maps = {m.shape[-1]: m for m in outputs if m.ndim == 3}
        right = all(
            kind in maps and maps[kind].shape[:2] == (batch, anchors)
            for kind in (_CLASSES, _BOX, _MARKS)
        )
        if not right:
            shapes = ", ".join(str(tuple(m.shape)) for m in outputs)
            raise WeightsError(
                f"{self._network.path}: answers {shapes}, and not boxes, two classes and five "
                f"points for {anchors} anchors: not RetinaFace; {_CURE}"
            )
        return maps

    def _decode(
        self, maps: Mapping[int, Any], anchors: F32, ratio: float, width: int, height: int
    ) -> Detections:
        """Read boxes and landmarks off the outputs for one picture.

        Args:
            maps: Outputs (A, values for each anchor) by kind.
            anchors: (A, 3) centre and side in input pixels.
            ratio: Number of input pixels for each source pixel.
            width: Width of the picture in pixels.
            height: Height of the picture in pixels.
        """
        scores = maps[_CLASSES][:, 1]
        likely = scores >= self._confidence
        centres, sides = anchors[likely, :2], anchors[likely, 2:]
        offsets = maps[_BOX][likely]
        middle = centres + offsets[:, :2] * _CENTRE_STEP * sides
        half = sides * np.exp(offsets[:, 2:] * _SIDE_STEP) / 2
        boxes = np.concatenate([middle - half, middle + half], axis=1)
        points = maps[_MARKS][likely].reshape(-1, 5, 2) * _CENTRE_STEP * sides[:, None]
        keep = nms(boxes, scores[likely], self._overlap)
        marks = (points + centres[:, None])[keep] / ratio
        return Detections(
            boxes=clip(boxes[keep] / np.float32(ratio), width, height),
            scores=scores[likely][keep],
            landmarks=marks.astype(np.float32),
        )


def _normalise(picture: U8) -> F32:
    """Return a picture (h, w, 3) as its training had it: BGR, without the mean."""
    return picture[:, :, ::-1].astype(np.float32) - _MEAN


def _anchors(height: int, width: int) -> F32:
    """Return the anchors of an input: (A, 3) float32, x, y and side in pixels."""
    levels = []
    for stride, sides in _ANCHORS.items():
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells = (np.stack([columns.ravel(), rows.ravel()], 1) + 0.5) * stride
        centres = cells.repeat(len(sides), axis=0)
        levels.append(np.column_stack([centres, np.tile(sides, len(cells))]))
    return np.concatenate(levels).astype(np.float32)
