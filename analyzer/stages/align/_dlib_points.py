"""Five points of a face by dlib's predictor: two corners of each eye, and the foot of the nose.

King, "Dlib-ml: A Machine Learning Toolkit", JMLR 2009; the predictor is the ensemble of
regression trees of Kazemi and Sullivan, CVPR 2014.
"""

from collections.abc import Mapping
from typing import Any

import dlib
import numpy as np

from analyzer.imaging import quality
from analyzer.types import F32, U8, Chips
from analyzer.weights import locate


class Predictor:
    """Finds the points of faces whose boxes are known."""

    def __init__(self) -> None:
        model = locate.locate("dlib_5_points")
        self.provenance: Mapping[str, str] = {model.name: locate.sha256(model)}
        self._predict = dlib.shape_predictor(str(model))

    def shapes(self, image: U8, boxes: F32) -> list[Any]:
        """The points of each of n boxes (n, 4) in a picture (H, W, 3), as dlib's own objects."""
        return [
            self._predict(image, dlib.rectangle(*(int(v) for v in np.round(box))))
            for box in _predictor_boxes(boxes)
        ]


def three_points(shapes: list[Any]) -> F32:
    """Centres of the eyes, left in the image first, and foot of the nose (n, 3, 2) of n shapes."""
    parts = [[(p.x, p.y) for p in shape.parts()] for shape in shapes]
    points = np.array(parts, np.float32).reshape(-1, 5, 2)
    eyes = points[:, :4].reshape(-1, 2, 2, 2).mean(2)[:, ::-1]  # two corners an eye -> its centre
    return np.concatenate([eyes, points[:, 4:]], 1)


def chips(images: U8, views: U8, points: F32, boxes: F32) -> Chips:
    """Finished chips and how well each of n faces is seen.

    Args:
        images: (n, S, S, 3) for the networks.
        views: (n, T, T, 3) on which sharpness is measured.
        points: (n, 3, 2) from `three_points`.
        boxes: (n, 4).
    """
    return Chips(
        images=images,
        sharpness=quality.sharpness(views),
        frontality=quality.frontality(points[:, :2], points[:, 2]),
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
