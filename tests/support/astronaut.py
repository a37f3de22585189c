"""A public portrait with a known face."""

import numpy as np
import pytest


def astronaut() -> np.ndarray:
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut())


ASTRONAUT_FACE = np.array([[172, 62, 276, 192]], np.float32)
