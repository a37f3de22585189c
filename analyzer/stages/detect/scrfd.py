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
from analyzer.stages.detect._network import DetectorNetwork
from analyzer.types import F32, U8, Detections

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
        self._network = DetectorNetwork.of_user(
            file, size=size, normalise=_normalise, cure=_CURE, runtime=runtime
        )
        self.provenance: Mapping[str, str] = self._network.provenance
        self._confidence, self._overlap = confidence, overlap
        # A black picture shows whether it answers as SCRFD does, before any job begins.
        self._detect([np.zeros((_input.MULTIPLE, _input.MULTIPLE, 3), np.uint8)])

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures of one size; see `analyzer.stages.detect.Detector`."""
        batches = self._network.batches(images)
        return [detections for batch in batches for detections in self._detect(batch)]

    def _detect(self, images: Sequence[U8]) -> list[Detections]:
        height, width = images[0].shape[:2]
        answer = self._network.run(images)
        # (B, n, 1, 4 or 10); networks that take one picture at a time leave the first axis out.
        maps = [array.reshape(len(images), -1, array.shape[-1]) for array in answer.outputs]
        levels = self._levels(maps, answer.height, answer.width)
        return [self._decode(levels, i, answer.ratio, width, height) for i in range(len(images))]

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
                    f"{self._network.path}: no scores and boxes for {len(centres)} anchors of "
                    f"stride {stride} at {width} x {height}: not SCRFD; {_CURE}"
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


def _normalise(picture: U8) -> F32:
    """Return a picture (h, w, 3) as its training had it: RGB, from -1 to 1."""
    return (picture.astype(np.float32) - np.float32(127.5)) / np.float32(128)


def _centres(height: int, width: int, stride: int) -> F32:
    """Return the centres of the anchors of one stride: (n, 2) float32, x, y in input pixels."""
    rows, columns = np.mgrid[: height // stride, : width // stride]
    cells = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float32) * stride
    return cells.repeat(_ANCHORS, axis=0)
