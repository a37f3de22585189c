"""Five points of a face by dlib's predictor: two corners of each eye, and the base of the nose.

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
    """Finds the points of the faces in given boxes."""

    def __init__(self) -> None:
        model = locate.locate("dlib_5_points")
        self.provenance: Mapping[str, str] = {model.name: locate.sha256(model)}
        self._predict = dlib.shape_predictor(str(model))

    def shapes(self, image: U8, boxes: F32) -> list[Any]:
        """Return the points of the face in each box, as dlib's own objects.

        Args:
            image: (H, W, 3) uint8, RGB.
            boxes: (n, 4) float32, pixels.
        """
        # Of a face that the picture's edge cuts, the points beyond are guessed; in the part that is
        # seen, all of them would be squeezed, and the chip distorted.
        faces = quality.whole(boxes, image.shape[1::-1])
        return [
            self._predict(image, dlib.rectangle(*(int(v) for v in np.round(box))))
            for box in _predictor_boxes(faces)
        ]


def three_points(shapes: list[Any]) -> F32:
    """Return the centres of the eyes and the base of the nose of n shapes.

    Args:
        shapes: Objects of dlib (n), from `Predictor.shapes`.

    Returns:
        (n, 3, 2) float32, pixels; the eye that is left in the image first.
    """
    parts = [[(p.x, p.y) for p in shape.parts()] for shape in shapes]
    points = np.array(parts, np.float32).reshape(-1, 5, 2)
    eyes = points[:, :4].reshape(-1, 2, 2, 2).mean(2)[:, ::-1]  # two corners an eye -> its centre
    return np.concatenate([eyes, points[:, 4:]], 1)


def chips(images: U8, views: U8, points: F32, boxes: F32, picture: U8) -> Chips:
    """Return finished chips with the quality of each of n faces.

    Args:
        images: (n, S, S, 3) uint8, RGB, for the networks.
        views: (n, T, T, 3) uint8, RGB, on which sharpness is measured.
        points: (n, 3, 2) float32, pixels, from `three_points`.
        boxes: (n, 4) float32, pixels.
        picture: (H, W, 3) uint8, in which the faces are.
    """
    return Chips(
        images=images,
        sharpness=quality.sharpness(views),
        frontality=quality.frontality(points[:, :2], points[:, 2]),
        face_px=quality.face_px(boxes),
        inside=quality.inside(boxes, picture.shape[1::-1]),
    )


def _predictor_boxes(boxes: F32) -> F32:
    """Return boxes as the predictor's own detector draws them: squares, a little lower.

    Measured on 100 portraits that both CenterFace and dlib's detector found: the median side is
    0.96 of the square root of the area, the centre 0.04 of the height further down.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + sides * np.array([0, 0.04], np.float32)
    half = 0.48 * np.sqrt(sides.prod(1, keepdims=True))
    return np.concatenate([centre - half, centre + half], 1)
