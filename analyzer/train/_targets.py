"""What the heads are trained to: softened labels, and what a teacher says beside them."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from analyzer.attributes import SIZES

_SPREAD = 0.5
"""Standard deviation, in bins, of the distribution that stands for one labelled age bin."""
_SMOOTHING = 0.05
_TAUGHT = 0.5
"""Share of the teacher in the targets of its student."""


def of_labels(labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Distributions that stand for labels: near ages less wrong than far ones.

    Args:
        labels: head -> (n,) classes.

    Returns:
        Head -> (n, k) probabilities; of ``sex`` (n, 1), that of m. The spread of ages follows Gao
        et al., "Deep label distribution learning with label ambiguity", IEEE TIP 2017.
    """
    sex = labels["sex"].float()[:, None] * (1 - _SMOOTHING) + _SMOOTHING / 2
    bins = torch.arange(SIZES["age"], device=labels["age"].device)
    distance = (bins[None] - labels["age"][:, None]).float()
    known = functional.one_hot(labels["ethnicity"], SIZES["ethnicity"]).float()
    return {
        "sex": sex,
        "age": torch.softmax(-(distance**2) / (2 * _SPREAD**2), dim=1),
        "ethnicity": known * (1 - _SMOOTHING) + _SMOOTHING / SIZES["ethnicity"],
    }


def taught(targets: Mapping[str, Tensor], values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Mix targets with what a network that was trained to them says of the same pictures.

    Furlanello et al., "Born-again neural networks", ICML 2018: the student outdoes its teacher,
    most of all where labels are noisy.

    Args:
        targets: head -> (n, k) probabilities.
        values: head -> (n, k) the teacher's logits.
    """
    said = {
        name: torch.sigmoid(raw) if name == "sex" else torch.softmax(raw, dim=1)
        for name, raw in values.items()
    }
    return {name: torch.lerp(targets[name], said[name], _TAUGHT) for name in SIZES}
