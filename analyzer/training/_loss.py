"""Training loss of the heads: softened labels, near ages less wrong than far ones."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from analyzer.attributes.heads import SIZES

_SPREAD = 0.5
"""Standard deviation, in bins, of the distribution that stands for one labelled age bin."""
_SMOOTHING = 0.05
_WEIGHTS = {"sex": 2.0, "age": 1.0, "ethnicity": 1.0}


def total(values: Mapping[str, Tensor], labels: Mapping[str, Tensor]) -> Tensor:
    """Weighted sum of all heads' losses.

    Args:
        values: Head -> (n, k) logits.
        labels: Head -> (n,) classes.
    """
    losses = {
        "sex": _sex(values["sex"], labels["sex"]),
        "age": functional.cross_entropy(values["age"], _ages(labels["age"])),
        "ethnicity": functional.cross_entropy(
            values["ethnicity"], labels["ethnicity"], label_smoothing=_SMOOTHING
        ),
    }
    return torch.stack([_WEIGHTS[name] * loss for name, loss in losses.items()]).sum()


def _sex(values: Tensor, labels: Tensor) -> Tensor:
    softened = labels.float() * (1 - _SMOOTHING) + _SMOOTHING / 2
    return functional.binary_cross_entropy_with_logits(values[:, 0], softened)


def _ages(labels: Tensor) -> Tensor:
    """Return distributions (n, 9) around the labelled bins.

    Gao et al., "Deep label distribution learning with label ambiguity", IEEE TIP 2017.
    """
    bins = torch.arange(SIZES["age"], device=labels.device)
    distance = (bins[None] - labels[:, None]).float()
    return torch.softmax(-(distance**2) / (2 * _SPREAD**2), dim=1)
