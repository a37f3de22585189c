"""ArcFace's chips: eyes, nose and corners of the mouth where its training pictures had them.

Deng et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019; the
similarity is the least-squares one of Umeyama, "Least-squares estimation of transformation
parameters between two point patterns", PAMI 1991.
"""

import cv2
import dlib
import numpy as np

from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.stages.align._dlib_points import Predictor, chips, three_points
from analyzer.types import F32, F64, U8, Chips

_SIDE = 112
_TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]],
    np.float64,
)  # fmt: skip
"""Where the five points go in a chip of 112 pixels."""
_THREE = np.array([[38.2, 52.1], [73.5, 52.1], [55.5, 80.1]])
"""Where the eyes and the *foot* of the nose go, which dlib finds: the median over 100 pictures of
LFW, aligned by CenterFace's five points."""


def create(
    *, size: int = _SIDE, beside: int = 0, padding: float = 0.25, runtime: Runtime
) -> "ArcFaceAligner":
    """ArcFace chips of this size; beside: size of dlib's chip, with padding, to their right.

    Args:
        size: side in pixels.
        beside: side of a dlib chip of the same face that stands in the picture beside the ArcFace
            chip, for describers whose two networks were trained on different chips; 0 = none.
        padding: its margin, as a share of the face.
        runtime: not used.

    Raises:
        UsageError: a size that is none.
    """
    if size < 1 or beside < 0:
        raise UsageError(f"arcface: size={size}, beside={beside}: give a side in pixels")
    return ArcFaceAligner(size, beside, padding)


class ArcFaceAligner:
    """Cuts chips by the detector's landmarks where it has them; see `Aligner`."""

    def __init__(self, size: int, beside: int, padding: float) -> None:
        self.size = size + beside
        self._own, self._beside, self._padding = size, beside, padding
        self._predictor = Predictor()
        self.provenance = self._predictor.provenance

    def align(self, image: U8, boxes: F32, landmarks: F32 | None) -> Chips:
        """Cut one chip a box; see `analyzer.stages.align.Aligner`."""
        shapes = self._predictor.shapes(image, boxes)
        three = three_points(shapes)
        images = np.zeros((len(boxes), self.size, self.size, 3), np.uint8)
        for i, shape in enumerate(shapes):
            points, template = three[i], _THREE
            if landmarks is not None and np.isfinite(landmarks[i]).all():
                points, template = landmarks[i], _TEMPLATE
            images[i, : self._own, : self._own] = self._cut(image, points, template)
            if self._beside:
                chip = dlib.get_face_chip(image, shape, self._beside, self._padding)
                images[i, : self._beside, self._own :] = chip
        return chips(images, images[:, : self._own, : self._own], three, boxes)

    def _cut(self, image: U8, points: F32, template: F64) -> U8:
        """The chip (S, S, 3) in which the points (k, 2) stand where the template (k, 2) says."""
        # Pixels are counted from their centres, whatever their size.
        scaled = (template + 0.5) * (self._own / _SIDE) - 0.5
        matrix = similarity(points.astype(np.float64), scaled)
        return cv2.warpAffine(image, matrix, (self._own, self._own), flags=cv2.INTER_LINEAR)


def similarity(source: F64, target: F64) -> F64:
    """The rotation, scale and shift (2, 3) that takes points (k, 2) nearest to others (k, 2).

    In the plane, Umeyama's closed form is one quotient of complex numbers.
    """
    p, q = source @ [1, 1j], target @ [1, 1j]
    centred = p - p.mean()
    turn = np.vdot(centred, q - q.mean()) / max(np.vdot(centred, centred).real, 1e-12)
    shift = q.mean() - turn * p.mean()
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])
