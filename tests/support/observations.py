"""Observations, calibration tables and views that are made by hand."""

import numpy as np

from analyzer.attributes.calibration import Calibration, Views
from analyzer.attributes.heads import SIZES
from analyzer.types import Chips, Descriptions, Observations
from analyzer.types.tally import Tally

TABLES = Calibration(
    octaves=np.array([0.0, 3.0]),
    age_densities=np.array([[-4.0] * 9, [-6.0] * 9]),
    weights={head: np.array([0.0, 2, -0.5, 0, 0, 0.5]) for head in SIZES},
    accuracies=np.array([0.9, 0.95, 0.99]),
    thresholds={head: np.array([[0.6, 0.7], [0.8, 2], [2, 2]]) for head in SIZES},
)


def observe(
    track_ids: list[int], embeddings: np.ndarray, *, frames: list[int] | None = None, **columns
) -> Observations:
    """A table with one described face a row."""
    n = len(track_ids)
    frame = np.array(frames if frames is not None else range(n), np.int64)
    ones = np.ones(n, np.float32)
    values = {
        "frame": frame,
        "time_s": frame / 5.0,
        "duration_s": np.full(n, 0.2),
        "track_id": np.array(track_ids, np.int64),
        "boxes": np.tile(np.array([[10, 10, 50, 50]], np.float32), (n, 1)),
        "picture_px": ones * 10_000,
        "detect_conf": ones,
        "track_conf": ones,
        "sharpness": ones,
        "frontality": ones,
        "face_px": ones * 40,
        "heads": {},
        "embeddings": embeddings.astype(np.float32),
        "embedding_rows": np.arange(n),
        "tally": Tally(),
    }
    return Observations(**{**values, **columns})


def faces(*people: int, noise: float = 0.1) -> np.ndarray:
    """Embeddings 1.0 apart for different people."""
    rng = np.random.default_rng(0)
    base = np.eye(8)[list(people)] / np.sqrt(2)
    return base + rng.normal(size=base.shape) * noise / np.sqrt(8)


def boxes(*lefts: float) -> np.ndarray:
    return np.array([[x, 10, x + 40, 50] for x in lefts], np.float32)


def views(*sizes: float, sharp: float = 0.5, frontal: float = 1.0) -> Views:
    count = len(sizes)
    return Views(
        face_px=np.array(sizes, np.float32),
        sharpness=np.full(count, sharp, np.float32),
        frontality=np.full(count, frontal, np.float32),
    )


class WholePicture:
    """An aligner for which each picture is a chip."""

    def align(self, image, boxes, landmarks):
        ones = np.ones(1, np.float32)
        return Chips(images=image[None], sharpness=ones, frontality=ones, face_px=ones)


def sure_of(classes):
    """Return descriptions that are sure of classes (n, 3) of sex, age and ethnicity."""
    heads = {
        "sex": (6 * (classes[:, :1] - 0.5)).astype(np.float32),
        "age": 20 * np.eye(9, dtype=np.float32)[classes[:, 1]],
        "ethnicity": 9 * np.eye(7, dtype=np.float32)[classes[:, 2]],
    }
    return Descriptions(embeddings=np.zeros((len(classes), 1), np.float32), heads=heads)
