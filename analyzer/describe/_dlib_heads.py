"""Attribute heads on the pooled features of dlib's face ResNet, as a safetensors file.

The heads share one hidden layer: ``hidden.weight`` (h, 704), ``hidden.bias`` (h,), and for each
head of k values ``NAME.weight`` (k, h), ``NAME.bias`` (k,). Values are stored as float16.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from analyzer.attributes import SIZES
from analyzer.errors import WeightsError
from analyzer.types import F32

FEATURES = 704
"""Pooled features: the means of the last four stages, 64 + 128 + 256 + 256 channels."""
SHIPPED = Path(__file__).with_name("dlib_resnet_heads.safetensors")
"""The heads that come with this package."""


@dataclass(frozen=True)
class Heads:
    """A hidden layer with ReLU and the linear layers of the heads on it."""

    tensors: Mapping[str, F32]
    """Weights by name, as the module's docstring lists them."""

    @property
    def names(self) -> tuple[str, ...]:
        """The heads, in the order of `analyzer.attributes.SIZES`."""
        return tuple(name for name in SIZES if f"{name}.weight" in self.tensors)

    def only(self, names: Iterable[str]) -> "Heads":
        """These heads alone."""
        kept = ("hidden", *names)
        return Heads({k: v for k, v in self.tensors.items() if k.partition(".")[0] in kept})


def load(path: Path) -> Heads:
    """Read heads from a file.

    Raises:
        WeightsError: missing, truncated, or not such a file.
    """
    try:
        tensors = {name: values.astype(np.float32) for name, values in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{path}: no attribute heads ({error}); make them with: "
            "python -m analyzer train attributes"
        ) from error
    _check(path, tensors)
    return Heads(tensors)


def save(heads: Heads, path: Path, metadata: Mapping[str, str]) -> None:
    """Write heads to a file, with what is to be known about them."""
    tensors = {k: np.ascontiguousarray(v, np.float16) for k, v in heads.tensors.items()}
    save_file(tensors, str(path), metadata=dict(metadata))


def metadata(path: Path) -> dict[str, str]:
    """What was written beside the weights: command, seed, data, figures."""
    with safe_open(str(path), "numpy") as file:
        return dict(file.metadata() or {})


def _check(path: Path, tensors: Mapping[str, F32]) -> None:
    """Raise unless the tensors are a hidden layer and heads that fit on it."""
    hidden = len(tensors.get("hidden.bias", ()))
    layers = {"hidden": (hidden, FEATURES)}
    layers |= {name: (size, hidden) for name, size in SIZES.items() if f"{name}.weight" in tensors}
    shapes: dict[str, tuple[int, ...]] = {}
    for name, (outputs, inputs) in layers.items():
        shapes |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
    if {name: tensor.shape for name, tensor in tensors.items()} != shapes:
        raise WeightsError(f"{path}: these are no heads for dlib's face ResNet")
