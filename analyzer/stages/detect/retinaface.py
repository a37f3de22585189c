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
from analyzer.types import F32, U8, Detections
from analyzer.weights import locate

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
        self._path = locate.of_user(file, cure=_CURE)
        self.provenance: Mapping[str, str] = {self._path.name: locate.sha256(self._path)}
        self._confidence, self._overlap = confidence, overlap
        self._input_name, takes_batches, self._fixed_size = _input.picture_form(
            self._path, cure=_CURE
        )
        self._size = size
        self._batch = runtime.batch_size if takes_batches else 1
        self._session = runtime.load(self._path)
        # A black picture shows whether it answers as RetinaFace does, before any job begins.
        self._detect([np.zeros((_input.MULTIPLE, _input.MULTIPLE, 3), np.uint8)])

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures of one size; see `analyzer.stages.detect.Detector`."""
        detections: list[Detections] = []
        for start in range(0, len(images), self._batch):
            detections += self._detect(images[start : start + self._batch])
        return detections

    def _detect(self, images: Sequence[U8]) -> list[Detections]:
        height, width = images[0].shape[:2]
        ratio = self._ratio(height, width)
        inputs = np.stack([self._input(image, ratio) for image in images])  # (B, 3, h, w)
        outputs = self._session.run(**{self._input_name: inputs})
        anchors = _anchors(inputs.shape[2], inputs.shape[3])  # (A, 3)
        maps = self._maps(outputs, len(images), len(anchors))
        return [
            self._decode({kind: m[i] for kind, m in maps.items()}, anchors, ratio, width, height)
            for i in range(len(images))
        ]

    def _ratio(self, height: int, width: int) -> float:
        """Return the number of input pixels for each source pixel."""
        if self._fixed_size is None:
            return self._size / max(height, width)
        return min(self._fixed_size[0] / height, self._fixed_size[1] / width)

    def _input(self, image: U8, ratio: float) -> F32:
        """Scale a picture to the input, and pad it right and below: (3, h, w), BGR."""
        small = _input.resize(image, ratio)
        height, width = self._fixed_size or map(_input.round_up, small.shape[:2])
        padded = _input.pad(small, height, width)[:, :, ::-1].astype(np.float32)
        return (padded - _MEAN).transpose(2, 0, 1)

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
                f"{self._path}: answers {shapes}, and not boxes, two classes and five points for "
                f"{anchors} anchors: not RetinaFace; {_CURE}"
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


def _anchors(height: int, width: int) -> F32:
    """Return the anchors of an input: (A, 3) float32, x, y and side in pixels."""
    levels = []
    for stride, sides in _ANCHORS.items():
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells = (np.stack([columns.ravel(), rows.ravel()], 1) + 0.5) * stride
        centres = cells.repeat(len(sides), axis=0)
        levels.append(np.column_stack([centres, np.tile(sides, len(cells))]))
    return np.concatenate(levels).astype(np.float32)
