"""What JPEG loses (ITU-T T.81): the rounding of its coefficients, without the lossless coding.

Equal on every machine, which libraries that decode JPEG are not.
"""

import numpy as np

from analyzer.types import F64

_BLOCK = 8
_LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ]
)
"""Steps of the coefficients of brightness at quality 50 (table K.1)."""
_CHROMA = np.full((8, 8), 99)
_CHROMA[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]
"""Those of colour (table K.2)."""
_TO_YCC = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
)


def compressed(image: F64, quality: int) -> F64:
    """Return a picture as baseline JPEG with halved colour (4:2:0) leaves it.

    Args:
        image: (H, W, 3) RGB, 0 to 255.
        quality: 1 to 100, as the Independent JPEG Group counts it.
    """
    height, width = image.shape[:2]
    unit = 2 * _BLOCK
    padded = np.pad(image, ((0, -height % unit), (0, -width % unit), (0, 0)), mode="edge")
    luma, *chroma = np.moveaxis(padded @ _TO_YCC.T, 2, 0)
    halved = [_rounded(_halved(c), _steps(_CHROMA, quality)) for c in chroma]
    planes = [_rounded(luma - 128, _steps(_LUMA, quality)) + 128]
    planes += [c.repeat(2, axis=0).repeat(2, axis=1) for c in halved]
    rgb = np.stack(planes, axis=2) @ np.linalg.inv(_TO_YCC).T
    return np.asarray(rgb[:height, :width].clip(0, 255), np.float64)


def _steps(table: np.ndarray, quality: int) -> F64:
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    return np.floor((table * scale + 50) / 100).clip(1, 255)


def _halved(plane: F64) -> F64:
    height, width = plane.shape
    return plane.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))


def _rounded(plane: F64, steps: F64) -> F64:
    """Return a plane of which the coefficients of each block are rounded to the steps."""
    height, width = plane.shape
    blocks = plane.reshape(height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK).swapaxes(1, 2)
    coefficients = _COSINES @ blocks @ _COSINES.T
    back = _COSINES.T @ (np.rint(coefficients / steps) * steps) @ _COSINES
    return back.swapaxes(1, 2).reshape(height, width)


def _cosines() -> F64:
    """Return the matrix (8, 8) of the discrete cosine transform, orthonormal."""
    place = np.arange(_BLOCK)
    waves = np.cos(np.pi * (2 * place + 1) * place[:, None] / (2 * _BLOCK)) * np.sqrt(2 / _BLOCK)
    waves[0] /= np.sqrt(2)
    return waves


_COSINES = _cosines()
