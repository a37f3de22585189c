"""ArcFace's chips: eyes, nose and corners of the mouth where its training pictures had them.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019; the
similarity is the least-squares one of Umeyama, "Least-squares estimation of transformation
parameters between two point patterns", PAMI 1991.
"""

import cv2
import numpy as np

from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.stages.align._dlib_points import Predictor, chips, facing_one_way, three_points
from analyzer.types import F32, F64, U8, Chips

_SIDE = 112
"""Side in pixels of the chips of the training pictures."""
_TEMPLATE = np.array(
    [
        [38.2946, 51.6963],
        [73.5318, 51.5014],
        [56.0252, 71.7366],
        [41.5493, 92.3655],
        [70.7299, 92.2041],
    ],
    np.float64,
)
"""(5, 2) positions of the eyes, the nose and the corners of the mouth in a chip of 112 pixels."""
_THREE_POINT_TEMPLATE = np.array([[38.2, 52.1], [73.5, 52.1], [55.5, 80.1]])
"""(3, 2) positions of the eyes and the *base* of the nose, which dlib finds: the median over 100
pictures of LFW, aligned by CenterFace's five points."""


def create(
    *, size: int = _SIDE, beside: int = 0, padding: float = 0.25, runtime: Runtime
) -> "ArcFaceAligner":
    """Return an aligner that cuts ArcFace chips.

    Args:
        size: Side of the chip in pixels.
        beside: Side of a dlib chip of the same face that stands in the picture beside the ArcFace
            chip, for describers with two networks that were trained on different chips; 0: none.
        padding: Margin of the dlib chip, as a share of the face.
        runtime: Not used.

    Raises:
        UsageError: A size below 1, or a negative one.
    """
    if size < 1 or beside < 0:
        raise UsageError(f"arcface: size={size}, beside={beside}: give a side in pixels")
    return ArcFaceAligner(size, beside, padding)


class ArcFaceAligner:
    """Cuts chips by the detector's landmarks, or by dlib's points where there are none.

    See `analyzer.stages.align.Aligner`.
    """

    def __init__(self, size: int, beside: int, padding: float) -> None:
        self.size = size + beside
        self._arcface_size, self._beside, self._padding = size, beside, padding
        self._predictor = Predictor()
        self.provenance = self._predictor.provenance

    def align(self, image: U8, boxes: F32, landmarks: F32 | None) -> Chips:
        """Cut one chip for each box; see `analyzer.stages.align.Aligner`."""
        faces = self._predictor.locate(image, boxes)
        dlib_points, side = three_points(faces), self._arcface_size
        images = np.zeros((len(boxes), self.size, self.size, 3), np.uint8)
        for i, face in enumerate(faces):
            points, template = dlib_points[i], _THREE_POINT_TEMPLATE
            if landmarks is not None and np.isfinite(landmarks[i]).all():
                points, template = landmarks[i], _TEMPLATE
            chip = self._cut(face.picture, points - face.origin, template)
            images[i, :side, :side] = facing_one_way(chip, dlib_points[i])
            if self._beside:
                chip = face.chip(self._beside, self._padding)
                images[i, : self._beside, side:] = facing_one_way(chip, dlib_points[i])
        return chips(images, images[:, :side, :side], dlib_points, boxes, image)

    def _cut(self, image: U8, points: F32, template: F64) -> U8:
        """Return the chip (S, S, 3) that has points at their positions in a template.

        Args:
            image: (H, W, 3) uint8, RGB.
            points: (k, 2) float32, pixels of the image.
            template: (k, 2) positions in a chip of `_SIDE` pixels.
        """
        # Pixels are counted from their centres, whatever their size.
        scaled = (template + 0.5) * (self._arcface_size / _SIDE) - 0.5
        matrix = similarity(points.astype(np.float64), scaled)
        return cv2.warpAffine(image, matrix, (self._arcface_size,) * 2, flags=cv2.INTER_LINEAR)


def similarity(source: F64, target: F64) -> F64:
    """Return the similarity transform that takes points nearest to other points.

    In the plane, the closed form of Umeyama (PAMI 1991) is one quotient of complex numbers.

    Args:
        source: (k, 2) points.
        target: (k, 2) points to which those of the same rows go.

    Returns:
        (2, 3) matrix of rotation, scale and shift.
    """
    start, end = source @ [1, 1j], target @ [1, 1j]
    centred = start - start.mean()
    turn = np.vdot(centred, end - end.mean()) / max(np.vdot(centred, centred).real, 1e-12)
    shift = end.mean() - turn * start.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
