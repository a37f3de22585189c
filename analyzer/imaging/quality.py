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
_FACE = np.array([[0.2273, 0.2214], [0.7528, 0.2212], [0.4901, 0.6278]])
"""(3, 2) eyes and foot of the nose in dlib's mean face, a square of side 1."""
_SAMPLES = 12
"""Points a side of a face that are looked for in the picture."""
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
    # Both in distances between the eyes.
    aside = np.einsum("nd,nd->n", offset, axis) / length**2
    below = np.abs(axis[:, 0] * offset[:, 1] - axis[:, 1] * offset[:, 0]) / length**2
    yaw = 1 - _YAW_SLOPE * np.abs(aside)
    pitch = 1 - _PITCH_SLOPE * np.maximum(np.abs(below - _NOSE_BELOW) - _NOSE_SPREAD, 0)
    return (np.clip(yaw, 0, 1) * np.clip(pitch, 0, 1)).astype(np.float32)


def inside(eyes: F32, nose: F32, size: tuple[int, ...]) -> F32:
    """Return the share (n,) of each face that lies in the picture.

    The face is the square in which eyes and nose lie as in dlib's mean face.

    Args:
        eyes: (n, 2, 2) centres of both eyes, the one that is left in the image first; pixels.
        nose: (n, 2) foot of the nose; pixels.
        size: Width and height of the picture; pixels.
    """
    places, points = _FACE @ [1, 1j], np.concatenate([eyes, nose[:, None]], 1) @ [1, 1j]  # n x 3
    centred = places - places.mean()
    # The similarity that takes the mean face to each of the faces.
    turn = (points @ centred.conj() / np.vdot(centred, centred).real)[:, None]
    side = np.linspace(0, 1, _SAMPLES)
    grid = (side[:, None] + 1j * side).ravel() - places.mean()
    samples = points.mean(1)[:, None] + turn * grid
    x, y = samples.real, samples.imag
    is_inside = (x >= 0) & (x < size[0]) & (y >= 0) & (y < size[1])
    return is_inside.mean(1).astype(np.float32)


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
