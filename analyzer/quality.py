"""How much a face crop can be trusted: sharpness, frontality, size."""

import numpy as np

from analyzer import geometry
from analyzer.types import F32, U8

_SHARP = 100.0


def sharpness(images: U8) -> F32:
    """Focus of each chip, 0 (blurred) to 1 (sharp).

    The variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in brightfield
    microscopy", ICPR 2000), squashed so that 0.5 stands at the variance that the field uses as
    the border between blurred and sharp.

    Args:
        images: (n, S, S, 3) RGB.

    Returns:
        (n,)
    """
    scores = np.empty(len(images), np.float32)
    for i, image in enumerate(images):
        grey = image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
        centre = grey[1:-1, 1:-1]
        laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * centre
        variance = laplacian.var()
        scores[i] = variance / (variance + _SHARP)
    return scores


def frontality(eyes: F32, nose: F32) -> F32:
    """How far each face looks into the camera, 0 (profile) to 1.

    The foot of the nose stands midway between the eyes in a frontal face and beyond one of them
    in profile.

    Args:
        eyes: (n, 2, 2) centres of both eyes.
        nose: (n, 2) foot of the nose.

    Returns:
        (n,)
    """
    axis = eyes[:, 1] - eyes[:, 0]
    length = np.maximum(np.linalg.norm(axis, axis=1), 1e-6)
    along = np.einsum("nd,nd->n", nose - eyes.mean(1), axis) / length
    return np.clip(1 - 2 * np.abs(along) / length, 0, 1).astype(np.float32)


def face_px(boxes: F32) -> F32:
    """Size of each face in pixels: the square root of its box's area."""
    return np.sqrt(geometry.area(boxes)).astype(np.float32)
