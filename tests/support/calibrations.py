"""Calibration tables and views for tests."""

import numpy as np

from analyzer.attributes.calibration import Calibration, Views
from analyzer.attributes.heads import SIZES

TABLES = Calibration(
    octaves=np.array([0.0, 3.0]),
    tails=np.array([0.2, 0.1]),
    weights={head: np.array([0.0, 2, -0.5, 0, 0, 0.5]) for head in SIZES},
    accuracies=np.array([0.9, 0.95, 0.99]),
    thresholds={head: np.array([[0.6, 0.7], [0.8, 2], [2, 2]]) for head in SIZES},
)


def views(*sizes: float, sharp: float = 0.5, frontal: float = 1.0) -> Views:
    count = len(sizes)
    return Views(
        face_px=np.array(sizes, np.float32),
        sharpness=np.full(count, sharp, np.float32),
        frontality=np.full(count, frontal, np.float32),
    )
