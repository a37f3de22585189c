"""How far the heads are from their targets."""

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn import functional

_WEIGHTS = {"sex": 2.0, "age": 1.0, "ethnicity": 1.0}


def total(values: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
    """Weighted sum of all heads' cross entropies.

    Args:
        values: head -> (n, k) logits.
        targets: head -> (n, k) probabilities; of ``sex`` (n, 1), that of m.
    """
    losses = {
        name: functional.binary_cross_entropy_with_logits(values[name], targets[name])
        if name == "sex"
        else functional.cross_entropy(values[name], targets[name])
        for name in _WEIGHTS
    }
    return torch.stack([_WEIGHTS[name] * loss for name, loss in losses.items()]).sum()
