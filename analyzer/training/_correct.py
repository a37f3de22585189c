"""Calibrate raw values, with one scale and one offset per class.

A network that was trained on softened labels, and on small pictures beside large ones, misjudges
how sure it may be of a large one, and gives rare classes too little. Even right probabilities draw
rare ages towards frequent ones, so those of age are then adjusted by the prior.
"""

from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from analyzer.attributes.heads import AGE_BINS, ages
from analyzer.evaluation.attributes import AGE_CENTRES, Predictions
from analyzer.stages.describe._dlib_attributes import Attributes
from analyzer.types import F32, F64, I64

_STRENGTHS = np.arange(0, 1.01, 0.01)
_MOST_LOST = 0.001
"""Share of right bins that may be lost."""


def correct(branch: Attributes, predictions: Predictions) -> Attributes:
    """Fold a correction of each head's raw values into its weights.

    Bias-corrected temperature scaling: Alexandari et al., "Maximum likelihood with bias-corrected
    calibration is hard-to-beat at label shift adaptation", ICML 2020. What was corrected before
    does not matter.

    Args:
        branch: What predicted.
        predictions: On pictures not trained on, at full size.
    """
    tensors: dict[str, Any] = dict(branch.tensors)
    for head, raw in predictions.raw.items():
        rows = predictions.labelled(head)
        labels = predictions.labels[head][rows]
        scale, offsets = fit(raw[rows], labels)
        if head == "age":
            offsets = offsets + prior_offsets(scale * raw[rows] + offsets, labels)
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


def prior_offsets(raw: F64, labels: I64) -> F64:
    """Return offsets (9,) of the logits of age that make rare ages more probable.

    Logit adjustment: Menon et al., "Long-tail learning via logit adjustment", ICLR 2021, with the
    strength with which the error in years, averaged over the bins, is least. The most probable
    bin must not be right less often, by more than `_MOST_LOST`; that is counted in probabilities,
    which scatter less than labels.

    Args:
        raw: (n, 9) calibrated logits.
        labels: (n,) bins.
    """
    counts = np.bincount(labels, minlength=len(AGE_BINS))
    log_prior = np.log(np.maximum(counts, 1) / len(labels))
    probable = softmax(raw, axis=1)
    found, least = np.zeros(len(AGE_BINS)), np.inf
    for strength in _STRENGTHS:
        offsets = strength * (log_prior.mean() - log_prior)
        adjusted = (raw + offsets).astype(np.float32)
        chosen = probable[np.arange(len(raw)), adjusted.argmax(axis=1)]
        errors = np.abs(ages(adjusted) - AGE_CENTRES[labels])
        error = np.mean([errors[labels == i].mean() for i in np.flatnonzero(counts)])
        if error < least and (probable.max(axis=1) - chosen).mean() <= _MOST_LOST:
            found, least = offsets, error
    return found
