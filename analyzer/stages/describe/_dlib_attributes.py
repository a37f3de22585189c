"""The attribute branch on the trunk of dlib's face ResNet, as a safetensors file.

The branch repeats the network's stages behind the trunk with its own weights:
`convolution.NN.filters` (out, in, 3, 3) and `.bias` (out,), input first. On its features stand
one hidden layer, `hidden.weight` (512, 1472) and `hidden.bias` (512,), and for each head of k
values `NAME.weight` (k, 512) and `NAME.bias` (k,). The same layers again, named
`identity.hidden` (512, 704) and `identity.NAME`, stand on the features of dlib's own stages;
the values of a head are the sum of both. Values are stored as float16.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save_file

from analyzer.attributes.calibration import Calibration
from analyzer.attributes.heads import SIZES
from analyzer.errors import WeightsError
from analyzer.stages.describe._dlib_dat import Convolution, shapes
from analyzer.types import F32

TRUNK = 7
"""Number of convolutions that identity and attributes share: the stem and the first stage."""
FEATURES = 64 + 128 + 256 + 4 * 256
"""Number of features: means of the branch's first three stages, and four positions of the last."""
IDENTITY_FEATURES = 64 + 128 + 256 + 256
"""Number of features: means of dlib's own stages behind the trunk."""
HIDDEN = 512
"""Length of the hidden layer."""
SHIPPED = Path(__file__).with_name("dlib_resnet_attributes.safetensors")
"""Path of the branch that comes with this package."""


@dataclass(frozen=True)
class Attributes:
    """The branch, its hidden layer, and the linear layers of the heads on it."""

    tensors: Mapping[str, F32]
    """Weights by name, as in the docstring of the module."""
    limits: tuple[float, ...] = ()
    """`Convolution.limit` of each convolution; empty: none is in 8 bits."""

    @classmethod
    def rounded(cls, tensors: Mapping[str, Any]) -> "Attributes":
        """Return a branch with weights rounded as in a file, so that figures hold for the file."""
        return cls({k: v.astype(np.float16).astype(np.float32) for k, v in tensors.items()})

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the heads, in the order of `analyzer.attributes.heads.SIZES`."""
        return tuple(name for name in SIZES if f"{name}.weight" in self.tensors)

    @property
    def convolutions(self) -> tuple[Convolution, ...]:
        """Convolutions of the branch, input first."""
        layers = shapes()[TRUNK:]
        limits = self.limits or [None] * len(layers)
        return tuple(
            Convolution.plain(
                self.tensors[f"convolution.{i:02}.filters"],
                self.tensors[f"convolution.{i:02}.bias"],
                stride,
                limit,
            )
            for i, ((_, _, _, stride, _), limit) in enumerate(zip(layers, limits, strict=True))
        )

    def only(self, names: Iterable[str]) -> "Attributes":
        """Return the branch with the named heads alone."""
        parts = ("convolution", "hidden", *names)
        part = {k: k.removeprefix("identity.").partition(".")[0] for k in self.tensors}
        tensors = {k: v for k, v in self.tensors.items() if part[k] in parts}
        return replace(self, tensors=tensors)


def load(path: Path) -> Attributes:
    """Read a branch from a file.

    Raises:
        WeightsError: Missing, truncated, or not such a file.
    """
    with _readable(path):
        tensors = {name: values.astype(np.float32) for name, values in load_file(path).items()}
    _check(path, tensors)
    return Attributes(tensors)


def names(path: Path) -> tuple[str, ...]:
    """Return the names of the heads in a file, without reading the weights.

    Raises:
        WeightsError: Missing, truncated, or not such a file.
    """
    with _readable(path), safe_open(str(path), "numpy") as file:
        keys = set(file.keys())
    return tuple(name for name in SIZES if f"{name}.weight" in keys)


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Say in words that a file is missing or is no such file."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise WeightsError(
            f"{path}: no attribute network ({error}); make one with: "
            "python -m analyzer train attributes"
        ) from error


def save(attributes: Attributes, path: Path, metadata: Mapping[str, str]) -> None:
    """Write a branch to a file, with texts about its making."""
    tensors = {k: np.ascontiguousarray(v, np.float16) for k, v in attributes.tensors.items()}
    save_file(tensors, str(path), metadata=dict(metadata))


def metadata(path: Path) -> dict[str, str]:
    """Return the texts beside the weights: command, seed, data, figures, calibration."""
    with safe_open(str(path), "numpy") as file:
        return dict(file.metadata() or {})


def calibration(path: Path) -> Calibration | None:
    """Return the calibration beside the weights; `None` where there is none.

    Raises:
        WeightsError: It lacks a table: an older version made it.
    """
    text = metadata(path).get("calibration")
    try:
        return Calibration.from_json(text) if text else None
    except KeyError as error:
        raise WeightsError(
            f"{path}: calibrated by an older version, without {error}; do it anew: "
            "python -m analyzer train attributes --data DIR --calibrate FILE"
        ) from error


def _check(path: Path, tensors: Mapping[str, F32]) -> None:
    """Require that the tensors are a branch and heads that fit on it.

    Raises:
        WeightsError: Other tensors.
    """
    layers = {"hidden": (HIDDEN, FEATURES), "identity.hidden": (HIDDEN, IDENTITY_FEATURES)}
    heads = [name for name in SIZES if f"{name}.weight" in tensors]
    layers |= {f"{on}{name}": (SIZES[name], HIDDEN) for name in heads for on in ("", "identity.")}
    expected: dict[str, tuple[int, ...]] = {}
    for i, (outputs, inputs, side, _, _) in enumerate(shapes()[TRUNK:]):
        expected[f"convolution.{i:02}.filters"] = (outputs, inputs, side, side)
        expected[f"convolution.{i:02}.bias"] = (outputs,)
    for name, (outputs, inputs) in layers.items():
        expected |= {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}
    if {name: tensor.shape for name, tensor in tensors.items()} != expected:
        raise WeightsError(f"{path}: these are no attributes for dlib's face ResNet")
