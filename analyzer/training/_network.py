"""The attribute network in torch: dlib's trunk, frozen, and a branch and heads that are trained.

The branch starts as a copy of dlib's later stages; dlib's affine layers are folded into the
convolutions, so no statistics of a normalisation can drift from those of the frozen trunk.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from analyzer.attributes.heads import SIZES
from analyzer.stages.describe import _dlib_attributes, _dlib_dat
from analyzer.stages.describe._dlib_attributes import FEATURES, HIDDEN
from analyzer.stages.describe._dlib_dat import STAGES, Convolution

_DROPOUT = 0.1, 0.4
"""Of the pooled features, and of the hidden layer."""


class Trunk(nn.Module):  # type: ignore[misc]
    """From pixels to the activations on which identity and attributes both stand."""

    def __init__(self, network: _dlib_dat.DlibNetwork) -> None:
        super().__init__()
        layers = iter(network.convolutions)
        self.stem = _stem(next(layers), network.mean)
        self.stage = _stage(layers, STAGES[0])
        self.requires_grad_(False)

    def forward(self, chips: Tensor) -> Tensor:
        """Return activations (n, 32, 35, 35) of chips (n, 150, 150, 3) uint8."""
        x = self.stem(chips.permute(0, 3, 1, 2).float())  # keeps channels last in memory
        return self.stage(functional.relu(functional.max_pool2d(x, 3, 2)))


class Branch(nn.Module):  # type: ignore[misc]
    """From the trunk's activations to the raw values of all heads."""

    mean: Tensor
    scale: Tensor

    def __init__(self, network: _dlib_dat.DlibNetwork) -> None:
        super().__init__()
        layers = iter(network.convolutions[_dlib_attributes.TRUNK :])
        self.stages = nn.ModuleList(_stage(layers, shape) for shape in STAGES[1:])
        self.register_buffer("mean", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))
        self.hidden = nn.Linear(FEATURES, HIDDEN)
        self.outputs = nn.Linear(HIDDEN, sum(SIZES.values()))
        self.trained = False

    def features(self, x: Tensor) -> Tensor:
        """Return features (n, 1472): the mean of each stage, and every place of the last one."""
        pooled = []
        for stage in self.stages:
            x = stage(x)
            pooled.append(x.mean((2, 3), dtype=torch.float32))
        return torch.cat([*pooled[:-1], x.float().flatten(1)], dim=1)

    def heads(self, features: Tensor, dropout: torch.Generator | None = None) -> dict[str, Tensor]:
        """Raw values {head: (n, k)} of features; drops some of both layers where given chance."""
        x = _drop((features - self.mean) / self.scale, _DROPOUT[0], dropout)
        x = _drop(functional.relu(self.hidden(x)), _DROPOUT[1], dropout)
        values = self.outputs(x)
        return dict(zip(SIZES, values.split(list(SIZES.values()), dim=1), strict=True))

    def standardize(self, features: Tensor) -> None:
        """Take mean and scale from features (n, 1472); what trained heads say of them stays."""
        mean, scale = features.mean(0), features.std(0).clamp_min(1e-3)
        if self.trained:
            with torch.no_grad():
                weight = self.hidden.weight / self.scale
                self.hidden.bias += weight @ (mean - self.mean)
                self.hidden.weight.copy_(weight * scale)
        self.mean, self.scale = mean, scale

    @classmethod
    def of(cls, network: _dlib_dat.DlibNetwork, weights: _dlib_attributes.Attributes) -> "Branch":
        """Return the branch that `export` wrote, without the heads on dlib's own stages."""
        branch, tensors = cls(network), {k: torch.from_numpy(v) for k, v in weights.tensors.items()}
        with torch.no_grad():
            for i, layer in enumerate(_convolutions(branch.stages)):
                layer.weight.copy_(tensors[f"convolution.{i:02}.filters"])
                layer.bias.copy_(tensors[f"convolution.{i:02}.bias"])
            for part in ("weight", "bias"):
                getattr(branch.hidden, part).copy_(tensors[f"hidden.{part}"])
                rows = torch.cat([tensors[f"{name}.{part}"] for name in SIZES])
                getattr(branch.outputs, part).copy_(rows)
        branch.trained = True
        return branch

    def export(self) -> dict[str, Any]:
        """Return the weights as the file names them; the hidden layer standardises its inputs."""
        weights = {k: v.detach().double().cpu().numpy() for k, v in self.state_dict().items()}
        convolutions = {
            f"convolution.{i:02}.{part}": getattr(layer, name).detach().cpu().numpy()
            for i, layer in enumerate(_convolutions(self.stages))
            for part, name in (("filters", "weight"), ("bias", "bias"))
        }
        hidden = weights["hidden.weight"] / weights["scale"]
        tensors = {"hidden.weight": hidden}
        tensors["hidden.bias"] = weights["hidden.bias"] - hidden @ weights["mean"]
        start = 0
        for name, size in SIZES.items():
            for part in ("weight", "bias"):
                tensors[f"{name}.{part}"] = weights[f"outputs.{part}"][start : start + size]
            start += size
        return {**convolutions, **tensors}


class _Block(nn.Module):  # type: ignore[misc]
    """A residual block of dlib's: shortcuts are pooled and padded with zeros, never convolved."""

    def __init__(self, first: Convolution, second: Convolution) -> None:
        super().__init__()
        self.first, self.second = _convolution(first), _convolution(second)
        self._halves = first.stride == 2

    def forward(self, x: Tensor) -> Tensor:
        branch = self.second(functional.relu(self.first(x)))
        if self._halves:
            x = functional.avg_pool2d(x, 2)
            short = x.shape[2] - branch.shape[2]
            branch = functional.pad(branch, (0, short, 0, short))
            x = functional.pad(x, (0, 0, 0, 0, 0, branch.shape[1] - x.shape[1]))
        return functional.relu(x + branch)


def _drop(x: Tensor, share: float, chance: torch.Generator | None) -> Tensor:
    """Dropout by a source of chance of its own: threads that share torch's disturb each other."""
    if chance is None:
        return x
    mask = torch.empty_like(x).bernoulli_(1 - share, generator=chance)
    return x * mask / (1 - share)


def _stage(layers: Iterator[Convolution], shape: tuple[int, int, bool]) -> nn.Sequential:
    return nn.Sequential(*(_Block(next(layers), next(layers)) for _ in range(shape[1])))


def _convolution(layer: Convolution) -> nn.Conv2d:
    filters, bias = layer.folded()
    outputs, inputs, side, _ = filters.shape
    convolution = nn.Conv2d(inputs, outputs, side, layer.stride, layer.padding)
    convolution.weight = nn.Parameter(torch.from_numpy(filters))
    convolution.bias = nn.Parameter(torch.from_numpy(bias))
    return convolution


def _stem(layer: Convolution, mean: "np.ndarray[Any, Any]") -> nn.Conv2d:
    """Return the first convolution, with the normalisation of pixels in it: it pads nothing."""
    stem = _convolution(layer)
    with torch.no_grad():
        stem.weight /= 256
        stem.bias -= (stem.weight.sum((2, 3)) * torch.from_numpy(mean)).sum(1)
    return stem


def _convolutions(module: nn.Module) -> Iterator[nn.Conv2d]:
    return (layer for layer in module.modules() if isinstance(layer, nn.Conv2d))
