"""Training loss of the heads: softened labels, near ages less wrong than far ones."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

from analyzer.attributes.heads import SIZES

_SPREAD = 0.5
"""Standard deviation, in bins, of the distribution that stands for one labelled age bin."""
_SMOOTHING = 0.05
_GROWN = 1, 2
"""Last bins of age of children and of teens."""
_WEIGHTS = {"sex": 2.0, "age": 1.0, "ethnicity": 1.0}


def targets(labels: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return distributions that stand for labels: of sex (n, 1), the share of m; of others (n, k).

    Args:
        labels: Head -> (n,) classes.
    """
    ethnicity = functional.one_hot(labels["ethnicity"], SIZES["ethnicity"])
    return {
        "sex": _softened(labels["sex"][:, None], 2),
        "age": _ages(labels["age"]),
        "ethnicity": _softened(ethnicity, SIZES["ethnicity"]),
    }


def sex_weights(labels: Mapping[str, Tensor]) -> Tensor:
    """Return weights (n, 1) with which both sexes count alike in each group of age and ethnicity.

    Else a network learns which sex is more frequent in a group, and says that where it cannot tell.

    Args:
        labels: Head -> (n,) classes.
    """
    ages = torch.bucketize(labels["age"], torch.tensor(_GROWN))
    group = (labels["ethnicity"] * (len(_GROWN) + 1) + ages) * 2
    counts = torch.bincount(group + labels["sex"], minlength=int(group.max()) + 2).float()
    both = counts[group] + counts[group + 1]
    return (both / (2 * counts[group + labels["sex"]]))[:, None]


def opinions(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the distributions that a network's raw values mean; the shapes are `targets`'.

    Args:
        values: Head -> (n, k) logits.
    """
    return {
        "sex": torch.sigmoid(values["sex"]),
        "age": torch.softmax(values["age"], dim=1),
        "ethnicity": torch.softmax(values["ethnicity"], dim=1),
    }


def total(
    values: Mapping[str, Tensor], wanted: Mapping[str, Tensor], sex_weights: Tensor
) -> Tensor:
    """Weighted sum of all heads' cross entropies.

    Args:
        values: Head -> (n, k) logits.
        wanted: Head -> distributions, as `targets` returns them.
        sex_weights: (n, 1) of the pictures, for sex; see `sex_weights`.
    """
    losses = {
        "sex": functional.binary_cross_entropy_with_logits(
            values["sex"], wanted["sex"], sex_weights
        ),
        "age": functional.cross_entropy(values["age"], wanted["age"]),
        "ethnicity": functional.cross_entropy(values["ethnicity"], wanted["ethnicity"]),
    }
    return torch.stack([_WEIGHTS[name] * loss for name, loss in losses.items()]).sum()


def _softened(classes: Tensor, count: int) -> Tensor:
    """Label smoothing of zeros and ones."""
    return classes.float() * (1 - _SMOOTHING) + _SMOOTHING / count


def _ages(labels: Tensor) -> Tensor:
    """Return distributions (n, 9) around the labelled bins.

    Gao et al., "Deep label distribution learning with label ambiguity", IEEE TIP 2017.
    """
    bins = torch.arange(SIZES["age"], device=labels.device)
    distance = (bins[None] - labels[:, None]).float()
    return torch.softmax(-(distance**2) / (2 * _SPREAD**2), dim=1)
