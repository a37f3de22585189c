"""Calibrate raw values, with one scale and one offset per class.

A network that was trained on softened labels, and on small pictures beside large ones, misjudges
how sure it may be of a large one, and gives rare classes too little.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax

from analyzer.evaluation.attributes import Predictions
from analyzer.stages.describe._dlib_attributes import Attributes
from analyzer.types import F32, F64, I64


def correct(branch: Attributes, predictions: Predictions) -> Attributes:
    """Fold a correction of each head's raw values into its weights.

    Bias-corrected temperature scaling: Alexandari et al., "Maximum likelihood with bias-corrected
    calibration is hard-to-beat at label shift adaptation", ICML 2020.

    Args:
        branch: What predicted.
        predictions: On pictures not trained on, at full size.
    """
    tensors: dict[str, Any] = dict(branch.tensors)
    for head, raw in predictions.raw.items():
        rows = predictions.labelled(head)
        scale, offsets = fit(raw[rows], predictions.labels[head][rows])
        for layer in (head, f"identity.{head}"):
            tensors |= {
                f"{layer}.{part}": tensors[f"{layer}.{part}"] * scale for part in ("weight", "bias")
            }
        tensors[f"{head}.bias"] = tensors[f"{head}.bias"] + offsets
    return Attributes.rounded(tensors)


def fit(raw: F32, labels: I64) -> tuple[float, F64]:
    """Return the scale and the offsets (k,) with which the labels are most probable.

    Args:
        raw: (n, k) logits; of two classes the second's alone.
        labels: (n,) classes.
    """
    classes = raw.shape[1]

    def loss(x: F64) -> float:
        logits = x[0] * raw + x[1:]
        if classes == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        chosen = log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
        return float(-chosen.mean())

    solution = minimize(loss, np.concatenate([[1.0], np.zeros(classes)]), method="L-BFGS-B").x
    return float(solution[0]), solution[1:] - (solution[1:].mean() if classes > 1 else 0.0)
