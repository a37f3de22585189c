"""Quality of face crops and pictures: sharpness, frontality, size."""

import numpy as np

from analyzer.imaging import letterbox
from analyzer.imaging.blur_gate import BlurGate
from analyzer.imaging.boxes import area
from analyzer.types import F32, U8

_SHARP_VARIANCE = 100.0
"""Variance of the Laplacian at a sharpness of 0.5."""
_YAW_SLOPE = 2.0
_PITCH_SLOPE = 3.0
"""Loss of frontality per distance between the eyes: 30 degrees up cost as much as 30 aside."""
_NOSE_BELOW = 0.77
"""Distance of the foot of the nose below the line of the eyes in frontal faces, in distances
between the eyes: the median is 0.74 for the validation faces of FairFace that look neither left
nor right, and 0.82 for 100 faces of LFW."""
_ASPECT = 1.3
"""Height of a face's box in widths."""
_AT_EDGE = 0.1
"""Distance of a box from the picture's edge, in its sides, at which it ends there."""
_NOSE_SPREAD = 0.15
"""Deviation from `_NOSE_BELOW` that costs nothing; 85 % of those faces have less."""


def sharpness(images: U8) -> F32:
    """Return the sharpness (n,) of each chip, 0 (blurred) to 1 (sharp).

    It is the variance of the Laplacian (Pech-Pacheco et al., "Diatom autofocusing in brightfield
    microscopy", ICPR 2000), mapped so that 0.5 is the variance that is commonly used as the limit
    between blurred and sharp.

    Args:
        images: (n, S, S, 3) uint8, RGB.
    """
    scores = np.empty(len(images), np.float32)
    for i, image in enumerate(images):
        variance = _laplacian(_grey(image)).var()
        scores[i] = variance / (variance + _SHARP_VARIANCE)
    return scores


def sharp_share(image: U8, gate: BlurGate) -> float:
    """Return the share of a picture's cells that are sharp, 0 to 1; see `BlurGate`.

    Black bars that this picture shows are left out.

    Args:
        image: (H, W, 3) uint8, RGB.
        gate: Grid and variance of the cells.
    """
    grey = _grey(image)
    bands = np.array_split(_laplacian(grey[letterbox.picture_area(grey)]), gate.grid)
    cells = [cell for band in bands for cell in np.array_split(band, gate.grid, axis=1)]
    # A picture smaller than its grid has empty cells.
    return float(np.mean([cell.size > 0 and cell.var() >= gate.var for cell in cells]))


def _grey(image: U8) -> F32:
    """Return the luma (H, W) of a picture (H, W, 3)."""
    return image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)


def _laplacian(grey: F32) -> F32:
    """Return the Laplacian (H - 2, W - 2) of a picture (H, W)."""
    centre = grey[1:-1, 1:-1]
    return grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * centre


def frontality(eyes: F32, nose: F32) -> F32:
    """Return the frontality (n,) of each face, 0 (profile) to 1 (looking into the camera).

    The foot of the nose is midway between the eyes in a frontal face, and beyond one of them in
    profile (yaw). Its distance from the line of the eyes is shorter in a face that looks up, and
    longer in a face that looks down, or so far aside that both eyes coincide (pitch). This is the
    geometry of Gee and Cipolla, "Determining the gaze of faces in images", Image and Vision
    Computing 1994. The roll of the head has no effect. Because faces and smiles differ, a nose as
    low as in most frontal faces costs nothing.

    Args:
        eyes: (n, 2, 2) centres of both eyes, in either order; pixels.
        nose: (n, 2) foot of the nose; pixels.
    """
    axis = eyes[:, 1] - eyes[:, 0]
    length = np.maximum(np.linalg.norm(axis, axis=1), 1e-6)
    offset = nose - eyes.mean(1)
    # In distances between the eyes.
    below = np.abs(axis[:, 0] * offset[:, 1] - axis[:, 1] * offset[:, 0]) / length**2
    yaw = 1 - _YAW_SLOPE * np.abs(turn(eyes, nose))
    pitch = 1 - _PITCH_SLOPE * np.maximum(np.abs(below - _NOSE_BELOW) - _NOSE_SPREAD, 0)
    return (np.clip(yaw, 0, 1) * np.clip(pitch, 0, 1)).astype(np.float32)


def turn(eyes: F32, nose: F32) -> F32:
    """Return how far the nose (n,) of each face lies towards its second eye, 0 where it is midway.

    Args:
        eyes: (n, 2, 2) centres of both eyes; pixels.
        nose: (n, 2) foot of the nose; pixels.

    Returns:
        float32, in distances between the eyes; below 0 towards the first eye.
    """
    axis = eyes[:, 1] - eyes[:, 0]
    squared = np.maximum(np.einsum("nd,nd->n", axis, axis), 1e-12)
    return (np.einsum("nd,nd->n", nose - eyes.mean(1), axis) / squared).astype(np.float32)


def inside(boxes: F32, size: tuple[int, ...]) -> F32:
    """Return the share (n,) of each face that lies in the picture.

    Args:
        boxes: (n, 4) float32, pixels.
        size: Width and height of the picture; pixels.
    """
    faces, seen = whole(boxes, size), _clipped(boxes, size)
    sides, seen_sides = faces[:, 2:] - faces[:, :2], seen[:, 2:] - seen[:, :2]
    return (np.maximum(seen_sides, 1) / np.maximum(sides, 1)).prod(1).astype(np.float32)


def whole(boxes: F32, size: tuple[int, ...]) -> F32:
    """Return the boxes (n, 4) of whole faces, beyond the picture's edges where these cut them.

    Many detectors end a box at the picture's edge. There its side that the edge does not cut tells
    how long the other one would be.

    Args:
        boxes: (n, 4) float32, pixels.
        size: Width and height of the picture; pixels.
    """
    seen = _clipped(boxes, size)
    sides = np.maximum(seen[:, 2:] - seen[:, :2], 1)
    limits = np.array(size, np.float32)
    gaps = np.stack([seen[:, :2], limits - seen[:, 2:]], 1)  # before and after
    at_edge = gaps.min(1) <= np.maximum(_AT_EDGE * sides, 1)
    # The height follows from the width, and the width from the height.
    usual = sides[:, ::-1] * np.array([1 / _ASPECT, _ASPECT], np.float32)
    length = np.where(at_edge & ~at_edge[:, ::-1], np.maximum(sides, usual), sides)
    is_before = gaps[:, 0] < gaps[:, 1]
    low = np.where(is_before, seen[:, 2:] - length, seen[:, :2])
    high = np.where(is_before, seen[:, 2:], seen[:, :2] + length)
    return np.concatenate([np.minimum(low, boxes[:, :2]), np.maximum(high, boxes[:, 2:])], 1)


def _clipped(boxes: F32, size: tuple[int, ...]) -> F32:
    """Return the parts (n, 4) of boxes that lie in a picture."""
    return np.clip(boxes, 0, np.array([*size, *size], np.float32))


def face_px(boxes: F32) -> F32:
    """Return the size (n,) of each face in pixels: the square root of its box's area."""
    return np.sqrt(area(boxes)).astype(np.float32)


def shrink(images: U8, size: int) -> U8:
    """Return pictures reduced to a small size and enlarged again, as a small face looks in a chip.

    They are reduced by the mean of areas, and enlarged linearly.

    Args:
        images: (n, S, S, 3) uint8, RGB.
        size: Side of the small pictures in pixels, 1 to S.

    Returns:
        (n, S, S, 3) uint8, RGB.
    """
    side = images.shape[1]
    resampling = _enlarging(size, side) @ _shrinking(side, size)
    rows = np.tensordot(resampling, images.astype(np.float32), (1, 1))  # S x n x S x 3
    both = np.tensordot(resampling, rows, (1, 2))  # S (across) x S (down) x n x 3
    return np.rint(both).clip(0, 255).astype(np.uint8).transpose(2, 1, 0, 3)


def _shrinking(side: int, size: int) -> F32:
    """Return the matrix (size, side) that reduces a row of pixels by the mean of areas."""
    edges = np.linspace(0, side, size + 1)
    low, high = edges[:-1, None], edges[1:, None]
    pixel = np.arange(side)[None]
    overlap = np.clip(np.minimum(high, pixel + 1) - np.maximum(low, pixel), 0, 1)
    return (overlap * size / side).astype(np.float32)


def _enlarging(size: int, side: int) -> F32:
    """Return the matrix (side, size) that enlarges a row of pixels, linearly."""
    centres = np.clip((np.arange(side) + 0.5) * size / side - 0.5, 0, size - 1)
    distance = np.abs(centres[:, None] - np.arange(size)[None])
    return np.clip(1 - distance, 0, 1).astype(np.float32)
