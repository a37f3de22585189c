"""Execution of the detector's and the describer's graphs in PyTorch, without further libraries."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional

_LEAST_ROWS = 17
"""Rows of a product of 8 bits that PyTorch takes on a card."""


class Graph:
    """A graph of ONNX on one device.

    Args:
        path: Path of the graph.
        device: Device of PyTorch.
    """

    def __init__(self, path: Path, device: str) -> None:
        model = onnx.load(str(path))
        self._nodes = list(model.graph.node)
        self._outputs = [value.name for value in model.graph.output]
        self._weights: dict[str, Any] = {
            tensor.name: torch.from_numpy(np.array(numpy_helper.to_array(tensor))).to(device)
            for tensor in model.graph.initializer
        }
        inputs = (value.name for value in model.graph.input)
        (self._input,) = (name for name in inputs if name not in self._weights)
        self._last_use = {name: i for i, node in enumerate(self._nodes) for name in node.input}
        self._kind = torch.float32
        self._packed: dict[str, tuple[Any, Any]] = {}

    @property
    def eighths(self) -> int:
        """Return the number of convolutions that compute with 8 bits."""
        return len(self._packed)

    def converted(self, kind: "torch.dtype", *, eighths: bool) -> "Graph":
        """Return the graph with other numbers.

        Args:
            kind: Numbers of weights and activations.
            eighths: Whether convolutions compute with 8 bits, as products of matrices, where
                PyTorch takes their sides.
        """
        other = object.__new__(Graph)
        other.__dict__.update(self.__dict__)
        other._kind, other._packed = kind, {}
        other._weights = {
            name: _laid_out(w.to(kind)) if w.is_floating_point() else w
            for name, w in self._weights.items()
        }
        for node in self._nodes if eighths else ():
            if node.op_type == "Conv" and _is_product(node, self._weights):
                weights = self._weights[node.input[1]].permute(0, 2, 3, 1).flatten(1)  # (k, c)
                scale = weights.abs().amax(1).clamp(min=1e-9) / 127
                packed = (weights / scale[:, None]).round().to(torch.int8)
                other._packed[node.output[0]] = (packed.t(), scale.to(kind))
        return other

    def run(self, pictures: Any) -> list[Any]:
        """Return the outputs for a batch.

        Args:
            pictures: Input of the graph.
        """
        values = self._values(pictures, kept=frozenset(self._outputs))
        return [values[name] for name in self._outputs]

    def floor_s(
        self, picture: Any, batch: int, rates: Mapping[str, float], precision: str
    ) -> float:
        """Return the seconds that a device needs at least for a batch, layer by layer.

        A layer takes as long as its arithmetic, or as reading and writing its numbers from memory,
        whatever is longer. Layers without weights are held to be part of others.

        Args:
            picture: Input of the graph, of a batch of one.
            batch: Length of the batch.
            rates: Operations a second by precision, and `bytes` a second.
            precision: Key of `rates`.
        """
        values = self._values(picture, kept=None)
        seconds = 0.0
        for node in self._nodes:
            if node.op_type not in ("Conv", "ConvTranspose", "Gemm", "MatMul"):
                continue
            given, weights, made = (values[n] for n in (*node.input[:2], node.output[0]))
            many = given if node.op_type == "ConvTranspose" else made
            # Each of these values meets as many weights as one output channel has.
            each = weights.numel() / weights.shape[1 if node.op_type == "MatMul" else 0]
            operations = 2 * batch * many.numel() * each
            rate = rates[precision if node.output[0] in self._packed else self._arithmetic()]
            moved = weights.nbytes + batch * (given.nbytes + made.nbytes)
            seconds += max(operations / rate, moved / rates["bytes"])
        return seconds

    def _arithmetic(self) -> str:
        return "f32" if self._kind == torch.float32 else "bf16"

    def _values(self, pictures: Any, kept: "frozenset[str] | None") -> dict[str, Any]:
        """Return the values of a run by name: all, or those that are kept, and the weights."""
        values = dict(self._weights)
        is_float = pictures.is_floating_point()
        values[self._input] = pictures.to(self._kind) if is_float else pictures
        for index, node in enumerate(self._nodes):
            given = [values[name] for name in node.input if name]
            if node.output[0] in self._packed:
                made = self._product(node, given)
            else:
                made = _OPERATORS[node.op_type](given, _attributes(node), self._kind)
            values[node.output[0]] = made
            for name in set(node.input) if kept is not None else ():
                if self._last_use[name] == index and name not in kept | self._weights.keys():
                    del values[name]
        return values

    def _product(self, node: Any, given: Sequence[Any]) -> Any:
        """Execute a convolution with 8 bits; the scale of its picture is that of the batch."""
        weights, scales = self._packed[node.output[0]]
        attributes = _attributes(node)
        scale = given[0].abs().amax().clamp(min=1e-9) / 127
        eighths = (given[0] / scale).round().to(torch.int8)
        patches = _patches(eighths, attributes)  # (n, h, w, c)
        rows = patches.reshape(-1, patches.shape[-1])
        if len(rows) < _LEAST_ROWS:
            return _conv(given, attributes, self._kind)
        made = torch._int_mm(rows, weights).to(self._kind) * (scales * scale)
        if len(given) > 2:
            made = made + given[2]
        return made.reshape(*patches.shape[:3], -1).permute(0, 3, 1, 2)


def _patches(picture: Any, attributes: Mapping[str, Any]) -> Any:
    """Return what each value of a convolution sees (n, h, w, kernel height x width x c).

    Args:
        picture: (n, c, H, W).
        attributes: Attributes of the convolution.
    """
    pixels = functional.pad(picture, _pads(attributes)).permute(0, 2, 3, 1)
    (high, wide), (down, right) = attributes["kernel_shape"], attributes.get("strides", [1, 1])
    bottom, end = pixels.shape[1] - high, pixels.shape[2] - wide
    seen = [
        pixels[:, y : y + bottom + 1 : down, x : x + end + 1 : right]
        for y in range(high)
        for x in range(wide)
    ]
    return seen[0] if len(seen) == 1 else torch.cat(seen, -1)


def _is_product(node: Any, weights: Mapping[str, Any]) -> bool:
    """Return whether PyTorch takes the sides of a convolution as a product of 8 bits."""
    kernel, attributes = weights[node.input[1]], _attributes(node)
    return (
        kernel.dim() == 4
        and attributes.get("group", 1) == 1
        and set(attributes.get("dilations", [1])) == {1}
        and kernel.shape[0] % 8 == 0
        and kernel[0].numel() % 8 == 0
    )


def _laid_out(weights: Any) -> Any:
    if weights.dim() != 4:
        return weights
    return weights.contiguous(memory_format=torch.channels_last)


def _attributes(node: Any) -> dict[str, Any]:
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def _pads(attributes: Mapping[str, Any]) -> list[int]:
    """Return the widths of borders in the order of PyTorch: left, right, top, bottom."""
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    return [left, right, top, bottom]


def _conv(given: Sequence[Any], attributes: Mapping[str, Any], _kind: Any) -> Any:
    left, right, top, bottom = _pads(attributes)
    picture = given[0].contiguous(memory_format=torch.channels_last)
    if (left, top) != (right, bottom):
        picture, top, left = functional.pad(picture, [left, right, top, bottom]), 0, 0
    return functional.conv2d(
        picture,
        *given[1:],
        stride=attributes.get("strides", 1),
        padding=(top, left),
        dilation=attributes.get("dilations", 1),
        groups=attributes.get("group", 1),
    )


def _conv_transpose(given: Sequence[Any], attributes: Mapping[str, Any], _kind: Any) -> Any:
    left, _, top, _ = _pads(attributes)
    return functional.conv_transpose2d(
        *given,
        stride=attributes.get("strides", 1),
        padding=(top, left),
        groups=attributes.get("group", 1),
    )


def _pool(given: Sequence[Any], attributes: Mapping[str, Any], function: Any) -> Any:
    return function(given[0], attributes["kernel_shape"], attributes["strides"])


def _norm(given: Sequence[Any], attributes: Mapping[str, Any], _kind: Any) -> Any:
    picture, scale, shift, mean, variance = given
    epsilon = attributes.get("epsilon", 1e-5)
    return functional.batch_norm(picture, mean, variance, scale, shift, eps=epsilon)


def _gemm(given: Sequence[Any], attributes: Mapping[str, Any], _kind: Any) -> Any:
    weights = given[1].t() if attributes.get("transB") else given[1]
    return given[0] @ weights + (given[2] if len(given) > 2 else 0)


def _concat(given: Sequence[Any], attributes: Mapping[str, Any], _kind: Any) -> Any:
    return torch.cat(list(given), attributes["axis"])


_OPERATORS: Mapping[str, Any] = {
    "Add": lambda given, _a, _k: given[0] + given[1],
    "AveragePool": lambda given, a, _k: _pool(given, a, functional.avg_pool2d),
    "BatchNormalization": _norm,
    "Cast": lambda given, _a, kind: given[0].to(kind),
    "Concat": _concat,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "Flatten": lambda given, _a, _k: given[0].flatten(1),
    "Gather": lambda given, a, _k: given[0].index_select(a.get("axis", 0), given[1].flatten()),
    "Gemm": _gemm,
    "GlobalAveragePool": lambda given, _a, _k: given[0].mean((2, 3), keepdim=True),
    "MatMul": lambda given, _a, _k: given[0] @ given[1],
    "MaxPool": lambda given, a, _k: _pool(given, a, functional.max_pool2d),
    "Mean": lambda given, _a, _k: sum(given) / len(given),
    "Relu": lambda given, _a, _k: given[0].relu(),
    "Sigmoid": lambda given, _a, _k: given[0].sigmoid(),
    "Transpose": lambda given, a, _k: given[0].permute(a["perm"]),
}
"""Operator -> function of its inputs, its attributes and the numbers of the graph."""
