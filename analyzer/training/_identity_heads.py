"""Trains heads on the frozen features of dlib's own stages: another opinion, at no cost.

Its errors differ from the branch's, so the sum of both is right more often than either.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from analyzer.attributes.heads import SIZES
from analyzer.stages.describe._dlib_attributes import HIDDEN, IDENTITY_FEATURES
from analyzer.training import _loss
from analyzer.types import F32, F64

_WEIGHT = 0.5
"""Of these heads in the sum, beside 1 for the branch's."""
_EPOCHS, _BATCH = 20, 512
_DROPOUT = 0.1, 0.5
_RATE, _DECAY = 2e-3, 1e-2


def train(
    views: F32, targets: Mapping[str, Tensor], sex_weights: Tensor, seed: int
) -> dict[str, F64]:
    """Train the heads; returns their tensors, as they are named in the file.

    Args:
        views: (v, n, 704) features of views of the pictures: mirrored, changed at random.
        targets: Head -> (n, k) distributions; see `_loss.targets`.
        sex_weights: (n, 1); see `_loss.sex_weights`.
        seed: Seed of the initial weights, the order and the choice of the view.
    """
    torch.manual_seed(seed)
    mean, scale = _statistics(views)
    network = nn.Sequential(
        nn.Dropout(_DROPOUT[0]),
        nn.Linear(IDENTITY_FEATURES, HIDDEN),
        nn.ReLU(),
        nn.Dropout(_DROPOUT[1]),
        nn.Linear(HIDDEN, sum(SIZES.values())),
    )
    _fit(network, torch.from_numpy((views - mean) / scale), targets, sex_weights)
    return _fold(network, mean, scale)


def _statistics(views: F32) -> tuple[F32, F32]:
    """Mean and standard deviation (k,) of features (v, n, k); 1 where a feature is constant."""
    mean = views.mean(axis=(0, 1), dtype=np.float64)
    deviation = views.std(axis=(0, 1), dtype=np.float64)
    deviation[deviation < 1e-6] = 1
    return mean.astype(np.float32), deviation.astype(np.float32)


def _fit(
    network: nn.Sequential, inputs: Tensor, targets: Mapping[str, Tensor], sex_weights: Tensor
) -> None:
    """Train on features (v, n, k), each time one of the views of a picture at random."""
    views, count = inputs.shape[:2]
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=_DECAY)
    steps = _EPOCHS * -(-count // _BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps)
    for _ in range(_EPOCHS):
        for rows in torch.randperm(count).split(_BATCH):
            outputs = network(inputs[torch.randint(views, (len(rows),)), rows])
            values = dict(zip(SIZES, outputs.split(list(SIZES.values()), dim=1), strict=True))
            wanted = {name: shares[rows] for name, shares in targets.items()}
            optimizer.zero_grad()
            _loss.total(values, wanted, sex_weights[rows]).backward()
            optimizer.step()
            schedule.step()


def _fold(network: nn.Sequential, mean: F32, scale: F32) -> dict[str, F64]:
    """Return tensors for features as they are: the standardisation goes into the hidden layer."""
    weights = {name: value.double().numpy() for name, value in network.state_dict().items()}
    hidden = weights["1.weight"] / scale
    tensors = {"identity.hidden.weight": hidden}
    tensors["identity.hidden.bias"] = weights["1.bias"] - hidden @ mean
    start = 0
    for name, size in SIZES.items():
        for part in ("weight", "bias"):
            rows = weights[f"4.{part}"][start : start + size]
            tensors[f"identity.{name}.{part}"] = _WEIGHT * rows
        start += size
    return tensors
