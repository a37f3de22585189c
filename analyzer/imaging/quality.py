"""Quality of face crops: sharpness, frontality, size."""

import numpy as np

from analyzer.imaging import letterbox
from analyzer.imaging.blur_gate import BlurGate
from analyzer.imaging.boxes import area
from analyzer.types import F32, U8

_SHARP = 100.0
_YAW_SLOPE = 2.0
_PITCH_SLOPE = 3.0
"""Loss of frontality by a distance between the eyes: 30 degrees up cost as much as 30 aside."""
_NOSE_BELOW = 0.77
"""How far below the line of the eyes the foot of the nose stands in frontal faces: the median is
0.74 of FairFace's validation faces that look neither left nor right, 0.82 of 100 of LFW's."""
_NOSE_SPREAD = 0.15
"""85 % of those faces are within this of it."""


def sharpness(images: U8) -> F32:
    """Return focus of each chip, 0 (blurred) to 1 (sharp).

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
        variance = _laplacian(_grey(image)).var()
        scores[i] = variance / (variance + _SHARP)
    return scores


def sharp_share(image: U8, gate: BlurGate) -> float:
    """Share of a picture's cells that are sharp, 0 to 1; see `BlurGate`.

    Black bars around the picture are left out, as far as this picture alone shows them.

    Args:
        image: (H, W, 3) RGB.
        gate: Its grid and variance.
    """
    grey = _grey(image)
    bands = np.array_split(_laplacian(grey[letterbox.picture_area(grey)]), gate.grid)
    cells = [cell for band in bands for cell in np.array_split(band, gate.grid, axis=1)]
    # A picture smaller than its grid has empty cells.
    return float(np.mean([cell.size > 0 and cell.var() >= gate.var for cell in cells]))


def _grey(image: U8) -> F32:
    """Luma (H, W) of a picture (H, W, 3)."""
    return image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _laplacian(grey: F32) -> F32:
    """Return the Laplacian (H - 2, W - 2) of a picture (H, W)."""
    centre = grey[1:-1, 1:-1]
    return grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * centre


def frontality(eyes: F32, nose: F32) -> F32:
    """Return how far each face looks into the camera, 0 (profile) to 1.

    The foot of the nose stands midway between the eyes in a frontal face and beyond one of them
    in profile (yaw). Its distance from the line of the eyes grows less as the face looks up, and
    greater as it looks down, or so far aside that both eyes fall together (pitch): the geometry of
    Gee and Cipolla, "Determining the gaze of faces in images", Image and Vision Computing 1994.
    How the head is rolled in the picture does not matter. Faces differ, and so do smiles: a nose
    as low as those of most straight faces costs nothing.

    Args:
        eyes: (n, 2, 2) centres of both eyes, in either order; pixels.
        nose: (n, 2) foot of the nose.

    Returns:
        (n,)
    """
    axis = eyes[:, 1] - eyes[:, 0]
    length = np.maximum(np.linalg.norm(axis, axis=1), 1e-6)
    out = nose - eyes.mean(1)
    aside = np.einsum("nd,nd->n", out, axis) / length**2  # both in distances between the eyes
    below = np.abs(axis[:, 0] * out[:, 1] - axis[:, 1] * out[:, 0]) / length**2
    yaw = 1 - _YAW_SLOPE * np.abs(aside)
    pitch = 1 - _PITCH_SLOPE * np.maximum(np.abs(below - _NOSE_BELOW) - _NOSE_SPREAD, 0)
    return (np.clip(yaw, 0, 1) * np.clip(pitch, 0, 1)).astype(np.float32)


def face_px(boxes: F32) -> F32:
    """Size of each face in pixels: the square root of its box's area."""
    return np.sqrt(area(boxes)).astype(np.float32)


def shrink(images: U8, size: int) -> U8:
    """Shrink pictures to `size` pixels by the mean of areas, and enlarge them again, linearly.

    Args:
        images: (n, S, S, 3) RGB.
        size: Size of the small pictures, 1 to S.

    Returns:
        (n, S, S, 3)
    """
    there_and_back = _enlarging(size, images.shape[1]) @ _shrinking(images.shape[1], size)
    rows = np.tensordot(there_and_back, images.astype(np.float32), (1, 1))  # S x n x S x 3
    both = np.tensordot(there_and_back, rows, (1, 2))  # S (across) x S (down) x n x 3
    return np.rint(both).clip(0, 255).astype(np.uint8).transpose(2, 1, 0, 3)


def _shrinking(side: int, size: int) -> F32:
    """Share (size, side) that each pixel has in each of fewer pixels."""
    edges = np.linspace(0, side, size + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixel = np.arange(side)[None]
    overlap = np.clip(np.minimum(high, pixel + 1) - np.maximum(low, pixel), 0, 1)
    return (overlap * size / side).astype(np.float32)


def _enlarging(size: int, side: int) -> F32:
    """Share (side, size) that each pixel has in each of more pixels."""
    centres = np.clip((np.arange(side) + 0.5) * size / side - 0.5, 0, size - 1)
    distance = np.abs(centres[:, None] - np.arange(size)[None])
    return np.clip(1 - distance, 0, 1).astype(np.float32)
