"""Make the tables of `analyzer.attributes.calibration` from predictions on unseen pictures."""

from collections.abc import Mapping, Sequence

import numpy as np

from analyzer.attributes import heads
from analyzer.attributes.calibration import NEVER, Calibration, terms
from analyzer.evaluation import attributes as evaluate
from analyzer.evaluation import intervals
from analyzer.evaluation.attributes import Predictions
from analyzer.training import _age_densities
from analyzer.types import F64

ACCURACIES = (0.8, 0.85, 0.9, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99)
_RIDGE, _ROUNDS = 1e-3, 30
_FEWEST = 200
"""Labels that a share is measured on, at least."""


def calibrate(sizes: Sequence[Predictions]) -> Calibration:
    """Fit all tables.

    Args:
        sizes: Predictions on the same pictures at each size, largest first.
    """
    weights = {head: _confidence(head, sizes) for head in heads.SIZES}
    return Calibration(
        octaves=np.array([float(np.median(p.views.octaves)) for p in sizes]),
        age_densities=_age_densities.fit(sizes),
        weights=weights,
        accuracies=np.array(ACCURACIES),
        thresholds={head: _thresholds(head, weights, sizes) for head in heads.SIZES},
    )


def _confidence(head: str, sizes: Sequence[Predictions]) -> F64:
    """Return weights (6,) of the model of confidence, by iteratively reweighted least squares."""
    x = np.concatenate([terms(head, p.raw[head], p.views) for p in sizes])
    right = np.concatenate([p.right(head) for p in sizes]).astype(np.float64)
    weights = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        sure = 1 / (1 + np.exp(-x @ weights))
        curvature = (x * (sure * (1 - sure))[:, None]).T @ x + _RIDGE * np.eye(x.shape[1])
        weights += np.linalg.solve(curvature, x.T @ (right - sure) - _RIDGE * weights)
    return weights


def _thresholds(head: str, weights: Mapping[str, F64], sizes: Sequence[Predictions]) -> F64:
    """Return the confidence (a, s) that suffices for each of the accuracies at each size."""
    thresholds = []
    for p in sizes:
        sure = 1 / (1 + np.exp(-terms(head, p.raw[head], p.views) @ weights[head]))
        thresholds.append([_threshold(sure, p.right(head), accuracy) for accuracy in ACCURACIES])
    return np.transpose(thresholds)


def _threshold(sure: F64, right: evaluate.Rows, accuracy: float) -> float:
    """Least confidence above which labels are right as often as wanted, by a lower bound of it.

    Geifman and El-Yaniv, "Selective classification for deep neural networks", NeurIPS 2017, with
    Wilson's bound.
    """
    order = np.argsort(-sure, kind="stable")
    counts = np.arange(1, len(sure) + 1)
    bound = intervals.wilson(np.cumsum(right[order]), counts)[0]
    good = np.nonzero((bound >= accuracy) & (counts >= _FEWEST))[0]
    return float(sure[order][good[-1]]) if len(good) else NEVER
