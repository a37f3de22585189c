"""Five points of a face by dlib's predictor: two corners of each eye, and the base of the nose.

King, "Dlib-ml: A Machine Learning Toolkit", JMLR 2009; the predictor is the ensemble of
regression trees of Kazemi and Sullivan, CVPR 2014.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import dlib
import numpy as np

from analyzer.imaging import quality
from analyzer.types import F32, I64, U8, Chips
from analyzer.weights import locate

_REACH = 1.0
"""How far around a face its chip may reach, in sides of the face's box."""
_TURNED = 0.1
"""Distance of the nose from the middle of the eyes, in distances between them, from which a face is
turned to one side."""


@dataclass(frozen=True)
class LocatedFace:
    """A face with its points."""

    picture: U8
    """(h, w, 3) RGB: the whole picture, or what the chip of a face at its edge needs."""
    shape: Any
    """The points as dlib's own object; pixels of `picture`."""
    origin: I64
    """(2,) upper left corner of `picture` in the whole picture, which may be beyond its edges."""

    def chip(self, size: int, padding: float) -> U8:
        """Return dlib's chip (size, size, 3) of the face, with a margin as a share of the face."""
        return np.asarray(dlib.get_face_chip(self.picture, self.shape, size, padding))


class Predictor:
    """Finds the points of the faces in given boxes."""

    def __init__(self) -> None:
        model = locate.locate("dlib_5_points")
        self.provenance: Mapping[str, str] = {model.name: locate.sha256(model)}
        self._predict = dlib.shape_predictor(str(model))

    def locate(self, image: U8, boxes: F32) -> list[LocatedFace]:
        """Return the face in each box.

        Args:
            image: (H, W, 3) uint8, RGB.
            boxes: (n, 4) float32, pixels.
        """
        # Of a face that the picture's edge cuts, the points beyond are guessed; in the part that is
        # seen, all of them would be squeezed, and the chip distorted.
        faces = _predictor_boxes(quality.whole(boxes, image.shape[1::-1]))
        located = []
        for box in np.round(faces).astype(np.int64):
            shape = self._predict(image, dlib.rectangle(*box.tolist()))
            picture, origin = _continued(image, box)
            located.append(LocatedFace(picture, _moved(shape, origin), origin))
        return located


def three_points(faces: Sequence[LocatedFace]) -> F32:
    """Return the centres of the eyes and the base of the nose of n faces.

    Returns:
        (n, 3, 2) float32, pixels of the whole picture; the eye that is left in the image first.
    """
    parts = [[(p.x, p.y) for p in face.shape.parts()] + face.origin for face in faces]
    points = np.array(parts, np.float32).reshape(-1, 5, 2)
    eyes = points[:, :4].reshape(-1, 2, 2, 2).mean(2)[:, ::-1]  # two corners an eye -> its centre
    return np.concatenate([eyes, points[:, 4:]], 1)


def facing_one_way(image: U8, points: F32) -> U8:
    """Return a chip (S, S, 3), mirrored if its face is turned to the right of the picture.

    Networks see a face that looks to the left and its mirror image as two faces that are somewhat
    alike: a person who looks to both sides would be further from himself than need be, and the
    mirrored film would have other persons.

    Args:
        image: (S, S, 3) uint8, RGB.
        points: (3, 2) float32, pixels, from `three_points`.
    """
    turn = float(quality.turn(points[None, :2], points[None, 2])[0])
    return image[:, ::-1] if turn > _TURNED else image


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


def _continued(image: U8, box: I64) -> tuple[U8, I64]:
    """Return what a chip needs of a picture, continued beyond the edges, and where that begins.

    The pixels at the left, right and lower edge are repeated. What is above the picture is black,
    as a chip of dlib is beyond the edges: a brow drawn upwards is further from hair than black is.

    Args:
        image: (H, W, 3) uint8, RGB.
        box: (4,) square around the face; pixels.

    Returns:
        The picture itself at (0, 0) where no edge is near.
    """
    height, width = image.shape[:2]
    reach = round(_REACH * (box[2] - box[0]))
    low, high = box[:2] - reach, box[2:] + reach
    if low[0] >= 0 and high[0] <= width and high[1] <= height:
        return image, np.zeros(2, np.int64)
    x1, y1 = np.clip(low, 0, [width - 1, height - 1])
    x2, y2 = np.clip(high, 1, [width, height])
    part = image[y1:y2, x1:x2]
    left, right, below = max(0, -low[0]), max(0, high[0] - width), max(0, high[1] - height)
    grown = cv2.copyMakeBorder(part, 0, below, left, right, cv2.BORDER_REPLICATE)
    return grown, np.array([x1 - left, y1])


def _moved(shape: Any, origin: I64) -> Any:
    """Return dlib's points in a picture that begins at `origin` (2,) of theirs."""
    if not origin.any():
        return shape
    x, y = origin.tolist()
    points = [dlib.point(point.x - x, point.y - y) for point in shape.parts()]
    return dlib.full_object_detection(dlib.translate_rect(shape.rect, dlib.point(-x, -y)), points)


def _predictor_boxes(boxes: F32) -> F32:
    """Return boxes as the predictor's own detector draws them: squares, a little lower.

    Measured on 100 portraits that both CenterFace and dlib's detector found: the median side is
    0.96 of the square root of the area, the centre 0.04 of the height further down.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2 + sides * np.array([0, 0.04], np.float32)
    half = 0.48 * np.sqrt(sides.prod(1, keepdims=True))
    return np.concatenate([centre - half, centre + half], 1)
