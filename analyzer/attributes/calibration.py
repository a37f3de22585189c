"""Calibration: confidence of labels and width of ages, from tables of faces not trained on.

A describer that has such tables carries them in its weights' file. Sizes are those of the face in
the source picture, so that an enlarged small face is known as one.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes import heads
from analyzer.types import F32, F64

CHIP_PX = 150
NEVER = 2.0
"""A confidence that no label reaches."""
CHIP_PER_FACE = 1.07
"""Side of dlib's chip (padding 0.25) over that of the detected face, median of 100 portraits."""


@dataclass(frozen=True, kw_only=True)
class Views:
    """How well each of n faces is seen."""

    face_px: F32
    """(n,) size in source pixels."""
    sharpness: F32
    """(n,) 0 to 1."""
    frontality: F32
    """(n,) 0 to 1."""

    @property
    def octaves(self) -> F64:
        """(n,) doublings by which a chip's pixels outnumber the source's: 0 for large faces."""
        source = np.maximum(self.face_px.astype(np.float64) * CHIP_PER_FACE, 1)
        return np.log2(CHIP_PX / np.minimum(source, CHIP_PX))

    @classmethod
    def join(cls, parts: Sequence["Views"]) -> "Views":
        """Return the faces of all parts, in order."""
        columns = {
            name: np.concatenate([getattr(p, name) for p in parts] or [np.empty(0, np.float32)])
            for name in ("face_px", "sharpness", "frontality")
        }
        return cls(**columns)

    def average(self, weights: F32) -> "Views":
        """Return the weighted mean of all faces, as one face."""

        def mean(values: F32) -> F32:
            return np.average(values, weights=weights, keepdims=True).astype(np.float32)

        return Views(
            face_px=mean(self.face_px),
            sharpness=mean(self.sharpness),
            frontality=mean(self.frontality),
        )

    def __getitem__(self, rows: Any) -> "Views":
        return Views(
            face_px=self.face_px[rows],
            sharpness=self.sharpness[rows],
            frontality=self.frontality[rows],
        )


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """The tables of one attribute network."""

    octaves: F64
    """(s,) sizes at which ages were measured, ascending from 0; see `Views.octaves`."""
    tails: F64
    """(s,) share of the age distribution left out on each side, by size."""
    weights: Mapping[str, F64]
    """Head -> (6,) of the model of confidence."""
    accuracies: F64
    """(a,) shares of right labels that can be asked for, ascending."""
    thresholds: Mapping[str, F64]
    """Head -> (a, s) confidence from which labels are that often right; above 1 where never."""

    def confidence(self, head: str, raw: F32, views: Views) -> F32:
        """Probability (n,) that each label is right; an age is, in the right bin or one beside it.

        Logistic regression on the score and on how well the face is seen, after Platt,
        "Probabilistic outputs for support vector machines", 1999.
        """
        logits = terms(head, raw, views) @ self.weights[head]
        return (1 / (1 + np.exp(-logits))).astype(np.float32)

    def thresholds_at(self, head: str, accuracy: float, views: Views) -> F64:
        """Confidence (n,) that each label must have for this accuracy of those that are kept."""
        by_size = [
            np.interp(accuracy, self.accuracies, column, right=NEVER)
            for column in self.thresholds[head].T
        ]
        return np.interp(views.octaves, self.octaves, by_size)

    def sure(self, head: str, raw: F32, views: Views, accuracy: float) -> NDArray[np.bool_]:
        """Return a mask (n,) of the labels to give, so that this share of them is right."""
        thresholds = self.thresholds_at(head, accuracy, views)
        return self.confidence(head, raw, views) >= thresholds

    def age_tail(self, views: Views) -> F64:
        """Share (n,) of the age distribution that lies on each side of the interval."""
        return np.interp(views.octaves, self.octaves, self.tails)

    def to_json(self) -> str:
        """For the metadata of a weights' file."""
        return json.dumps(
            {
                "octaves": self.octaves.tolist(),
                "tails": self.tails.tolist(),
                "weights": {k: v.tolist() for k, v in self.weights.items()},
                "accuracies": self.accuracies.tolist(),
                "thresholds": {k: v.tolist() for k, v in self.thresholds.items()},
            }
        )

    @classmethod
    def from_json(cls, text: str) -> "Calibration":
        """Read a calibration from JSON; the inverse of `to_json`."""
        read = json.loads(text)

        def tables(name: str) -> dict[str, F64]:
            return {k: np.array(v, np.float64) for k, v in read[name].items()}

        return cls(
            octaves=np.array(read["octaves"], np.float64),
            tails=np.array(read["tails"], np.float64),
            weights=tables("weights"),
            accuracies=np.array(read["accuracies"], np.float64),
            thresholds=tables("thresholds"),
        )


def terms(head: str, raw: F32, views: Views) -> F64:
    """Return terms (n, 6) of the model of confidence: score, and what is to be seen of the face."""
    score, octaves = heads.margin(head, raw), views.octaves
    ones = np.ones(len(raw))
    columns = (ones, score, octaves, score * octaves, views.sharpness, views.frontality)
    return np.stack(columns, axis=1).astype(np.float64)
