"""dlib's chips: five landmarks, eyes level, a margin around the face.

King, "Dlib-ml: A Machine Learning Toolkit", JMLR 2009; the predictor is the ensemble of
regression trees of Kazemi and Sullivan, CVPR 2014. FairFace was cut the same way.
"""

from collections.abc import Mapping

import dlib
import numpy as np

from analyzer import quality, weights
from analyzer.runtime import Runtime
from analyzer.types import F32, U8, Chips


def create(*, size: int = 150, padding: float = 0.25, runtime: Runtime) -> "ChipAligner":
    """dlib chips; size: side in pixels, padding: margin as a share of the face."""
    return ChipAligner(size, padding)


class ChipAligner:
    """Cuts chips; see `analyzer.align.Aligner`."""

    def __init__(self, size: int, padding: float) -> None:
        self.size, self._padding = size, padding
        model = weights.locate("dlib_5_points")
        self.provenance: Mapping[str, str] = {model.name: weights.sha256(model)}
        self._predict = dlib.shape_predictor(str(model))

    def align(self, image: U8, boxes: F32, landmarks: F32 | None) -> Chips:
        """Cut one chip a box; see `analyzer.align.Aligner`."""
        n = len(boxes)
        images = np.empty((n, self.size, self.size, 3), np.uint8)
        points = np.empty((n, 5, 2), np.float32)
        for i, box in enumerate(_predictor_boxes(boxes)):
            shape = self._predict(image, dlib.rectangle(*(int(v) for v in np.round(box))))
            images[i] = dlib.get_face_chip(image, shape, self.size, self._padding)
            points[i] = [(p.x, p.y) for p in shape.parts()]
        eyes = points[:, :4].reshape(n, 2, 2, 2).mean(2)  # two corners an eye -> its centre
        return Chips(
            images=images,
            sharpness=quality.sharpness(images),
            frontality=quality.frontality(eyes, points[:, 4]),
            face_px=quality.face_px(boxes),
        )


def _predictor_boxes(boxes: F32) -> F32:
    """Boxes as the predictor's own detector draws them: squares, a little lower.

    Measured on 100 portraits that both CenterFace and dlib's detector found: the median side is
    0.96 of the square root of the area, the centre 0.04 of the height further down.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + sides * np.array([0, 0.04], np.float32)
    half = 0.48 * np.sqrt(sides.prod(1, keepdims=True))
    return np.concatenate([centre - half, centre + half], 1)
