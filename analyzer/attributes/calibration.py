"""Calibration of an attribute network: confidence of labels and width of age intervals.

The tables are measured on faces that were not used in training, and are stored in the describer's
weights file. Sizes are those of the face in the source picture, so that a small face that was
enlarged counts as small.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.attributes import age_intervals, heads
from analyzer.types import F32, F64

CHIP_PX = 150
"""Side of a chip, in pixels."""
NEVER = 2.0
"""Threshold that no confidence reaches."""
CHIP_PER_FACE = 1.07
"""Side of dlib's chip (padding 0.25) divided by that of the detected face, median of 100
portraits."""


@dataclass(frozen=True, kw_only=True)
class Views:
    """Size, sharpness and frontality of n faces."""

    face_px: F32
    """(n,) size in source pixels."""
    sharpness: F32
    """(n,) 0 (blurred) to 1 (sharp)."""
    frontality: F32
    """(n,) 0 (profile) to 1 (looking into the camera)."""

    @property
    def octaves(self) -> F64:
        """Binary logarithm (n,) of the factor by which a face is enlarged to a chip; at least 0."""
        source_px = np.maximum(self.face_px.astype(np.float64) * CHIP_PER_FACE, 1)
        return np.log2(CHIP_PX / np.minimum(source_px, CHIP_PX))

    @classmethod
    def join(cls, parts: Sequence["Views"]) -> "Views":
        """Return the views of all parts, in order."""
        columns = {
            name: np.concatenate([getattr(p, name) for p in parts] or [np.empty(0, np.float32)])
            for name in ("face_px", "sharpness", "frontality")
        }
        return cls(**columns)

    def average(self, weights: F32) -> "Views":
        """Return the weighted mean of all faces, as the view of one face.

        Args:
            weights: (n,) weight of each face.
        """

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
    """Calibration tables of one attribute network."""

    octaves: F64
    """(s,) sizes of the tables' columns, ascending from 0; see `Views.octaves`."""
    age_densities: F64
    """(s, 9) logarithm of the least density of ages in an interval, by size, for each bin; see
    `analyzer.attributes.age_intervals.densest`."""
    weights: Mapping[str, F64]
    """Head name -> (6,) weights of the confidence model; see `terms`."""
    accuracies: F64
    """(a,) shares of right labels that can be requested, ascending."""
    thresholds: Mapping[str, F64]
    """Head name -> (a, s) least confidence of labels with that accuracy; above 1 where no
    confidence is enough."""

    def confidence(self, head: str, raw: F32, views: Views) -> F32:
        """Return the probability (n,) that each label is right.

        An age is right if it lies in the true bin or in one beside it. The model is a logistic
        regression on the score and the view of the face, after Platt, "Probabilistic outputs for
        support vector machines", 1999.

        Args:
            head: `sex`, `age` or `ethnicity`.
            raw: (n, k) decision values.
            views: Views of the n faces.
        """
        logits = terms(head, raw, views) @ self.weights[head]
        return (1 / (1 + np.exp(-logits))).astype(np.float32)

    def thresholds_at(self, head: str, accuracy: float, views: Views) -> F64:
        """Return the confidence (n,) that each label needs for an accuracy of the given labels.

        Args:
            head: `sex`, `age` or `ethnicity`.
            accuracy: Requested share of right labels among the given ones.
            views: Views of the n faces.
        """
        by_size = [
            np.interp(accuracy, self.accuracies, column, right=NEVER)
            for column in self.thresholds[head].T
        ]
        return np.interp(views.octaves, self.octaves, by_size)

    def sure(self, head: str, raw: F32, views: Views, accuracy: float) -> NDArray[np.bool_]:
        """Return a mask (n,) of the labels to give, so that a share of them is right.

        Args:
            head: `sex`, `age` or `ethnicity`.
            raw: (n, k) decision values.
            views: Views of the n faces.
            accuracy: Requested share of right labels among the given ones.
        """
        thresholds = self.thresholds_at(head, accuracy, views)
        return self.confidence(head, raw, views) >= thresholds

    def age_interval(self, raw: F32, views: Views) -> tuple[F64, F64]:
        """Return the interval of each age: of any true age, it holds `heads.INTERVAL`.

        Args:
            raw: (n, 9) decision values of age.
            views: Views of the n faces.

        Returns:
            Lower and upper ends, (n,) each, in years.
        """
        octaves = views.octaves
        columns = [np.interp(octaves, self.octaves, column) for column in self.age_densities.T]
        return age_intervals.densest(raw, np.stack(columns, axis=1))

    def to_json(self) -> str:
        """Return the calibration as JSON, for the metadata of a weights file."""
        return json.dumps(
            {
                "octaves": self.octaves.tolist(),
                "age_densities": self.age_densities.tolist(),
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
            age_densities=np.array(read["age_densities"], np.float64),
            weights=tables("weights"),
            accuracies=np.array(read["accuracies"], np.float64),
            thresholds=tables("thresholds"),
        )


def terms(head: str, raw: F32, views: Views) -> F64:
    """Return the terms (n, 6) of the confidence model: score, size, sharpness and frontality.

    Args:
        head: `sex`, `age` or `ethnicity`.
        raw: (n, k) decision values.
        views: Views of the n faces.
    """
    score, octaves = heads.margin(head, raw), views.octaves
    ones = np.ones(len(raw))
    columns = (ones, score, octaves, score * octaves, views.sharpness, views.frontality)
    return np.stack(columns, axis=1).astype(np.float64)
