"""SCRFD: networks of 0.5 to 34 billion operations, with or without landmarks.

Guo et al., "Sample and Computation Redistribution for Efficient Face Detection", ICLR 2022. Its
authors allow their weights for non-commercial research only; none come with this package.
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
    "give an SCRFD network in ONNX form as --detector scrfd:weights=FILE.onnx, such as "
    "scrfd_10g_kps.onnx from https://github.com/yakhyo/uniface (non-commercial research only)"
)
_STRIDES = (8, 16, 32)
_ANCHORS = 2
"""Number of anchors of each cell: one for smaller, one for larger faces."""
_CENTRE, _SCORE, _BOX, _MARKS = 0, 1, 4, 10
"""Kinds of values: number of values for each anchor, which distinguishes the outputs; 0 for the
centres, which are no output."""


def create(
    *,
    weights: str = "",
    size: int = 640,
    confidence: float = 0.5,
    overlap: float = 0.4,
    runtime: Runtime,
) -> "Scrfd":
    """Return a detector by an SCRFD network.

    Args:
        weights: Path of the file.
        size: Longer side of the input in pixels, more finds smaller faces; a network of fixed size
            has its own.
        confidence: Score below which detections are left out.
        overlap: IoU above which two boxes are one face.
        runtime: Runtime that executes the network.

    Raises:
        UsageError: A value out of range.
        WeightsError: Weights missing, altered, or of another form.
    """
    _input.require_bounds("scrfd", size=size, confidence=confidence, overlap=overlap)
    return Scrfd(weights, size, confidence, overlap, runtime)


class Scrfd:
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
        self._size = max(self._fixed_size or (size,))
        self._batch = runtime.batch_size if takes_batches else 1
        self._session = runtime.load(self._path)
        # A black picture shows whether it answers as SCRFD does, before any job begins.
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
        # (B, n, 1, 4 or 10); networks that take one picture at a time leave the first axis out.
        maps = [array.reshape(len(images), -1, array.shape[-1]) for array in outputs]
        levels = self._levels(maps, inputs.shape[2], inputs.shape[3])
        return [self._decode(levels, i, ratio, width, height) for i in range(len(images))]

    def _ratio(self, height: int, width: int) -> float:
        """Return the number of input pixels for each source pixel."""
        if self._fixed_size is None:
            return self._size / max(height, width)
        return min(self._fixed_size[0] / height, self._fixed_size[1] / width)

    def _input(self, image: U8, ratio: float) -> F32:
        """Scale a picture to the input, and pad it right and below: (3, h, w)."""
        small = _input.resize(image, ratio)
        height, width = self._fixed_size or map(_input.round_up, small.shape[:2])
        padded = _input.pad(small, height, width).transpose(2, 0, 1)
        return (padded.astype(np.float32) - np.float32(127.5)) / np.float32(128)

    def _levels(self, maps: Sequence[F32], height: int, width: int) -> list[dict[int, Any]]:
        """Sort the outputs by stride and kind, and add the anchors' centres.

        Args:
            maps: Outputs (B, n, values for each anchor).
            height: Height of the input in pixels.
            width: Width of the input in pixels.

        Returns:
            For each stride, its maps by kind.

        Raises:
            WeightsError: The outputs are not those of SCRFD.
        """
        levels = []
        for stride in _STRIDES:
            centres = _centres(height, width, stride)
            level: dict[int, Any] = {m.shape[2]: m for m in maps if m.shape[1] == len(centres)}
            if not {_SCORE, _BOX} <= level.keys():
                raise WeightsError(
                    f"{self._path}: no scores and boxes for {len(centres)} anchors of stride "
                    f"{stride} at {width} x {height}: not SCRFD; {_CURE}"
                )
            scaled = {kind: m * stride if kind != _SCORE else m for kind, m in level.items()}
            levels.append({_CENTRE: centres, **scaled})
        return levels

    def _decode(
        self, levels: Sequence[Mapping[int, Any]], i: int, ratio: float, width: int, height: int
    ) -> Detections:
        """Read boxes and landmarks off the outputs for picture `i` of a batch."""
        likely = [level[_SCORE][i, :, 0] >= self._confidence for level in levels]

        def take(kind: int) -> F32:
            maps = (m[kind] if kind == _CENTRE else m[kind][i] for m in levels)
            return np.concatenate([m[k] for m, k in zip(maps, likely, strict=True)])

        centres, scores = take(_CENTRE), take(_SCORE)[:, 0]
        sides = take(_BOX)  # left, up, right, down
        boxes = np.concatenate([centres - sides[:, :2], centres + sides[:, 2:]], 1)
        keep = nms(boxes, scores, self._overlap)
        marks = None
        if all(_MARKS in level for level in levels):
            points = take(_MARKS).reshape(-1, 5, 2) + centres[:, None]
            marks = (points[keep] / ratio).astype(np.float32)
        return Detections(
            boxes=clip(boxes[keep] / np.float32(ratio), width, height),
            scores=scores[keep],
            landmarks=marks,
        )


def _centres(height: int, width: int, stride: int) -> F32:
    """Return the centres of the anchors of one stride: (n, 2) float32, x, y in input pixels."""
    rows, columns = np.mgrid[: height // stride, : width // stride]
    cells = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float32) * stride
    return cells.repeat(_ANCHORS, axis=0)
