"""dlib's face ResNet and the attribute branch on its trunk as ONNX graphs.

Input `chips` (n, 150, 150, 3) uint8, RGB. Outputs `embedding` (n, 128), `features` (n, 704) of
dlib's own stages, and (n, k) for each head. A second graph gives the heads of the mirror images.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from analyzer.attributes.heads import SIZES
from analyzer.files.hashing import sha256
from analyzer.stages.describe._dlib_attributes import IDENTITY_FEATURES, Attributes
from analyzer.stages.describe._dlib_dat import DIMENSIONS, SIZE, STAGES, Convolution, DlibNetwork
from analyzer.types import F32

_OPSET, _IR = 17, 8
_SIDE = 35
"""Side of the activations that leave the stem; halving rounds down."""


def build(network: DlibNetwork, attributes: Attributes) -> bytes:
    """Build the graph of faces as they are.

    Args:
        network: Weights of dlib's network.
        attributes: Weights of the branch; without heads the graph has no branch.

    Returns:
        A serialized ONNX model.
    """
    graph = _Graph()
    trunk, layers = _trunk(graph, network, "chips")
    pooled = [_mean(graph, x) for x in _stages(graph, trunk, layers, STAGES[1:])]
    graph.add("MatMul", pooled[-1], graph.constant(network.projection), name="embedding")
    graph.add("Concat", *pooled, name="features", axis=1)
    if attributes.names:
        _attributes(graph, trunk, attributes)
    widths = {"embedding": DIMENSIONS, "features": IDENTITY_FEATURES}
    return graph.serialize(widths | {name: SIZES[name] for name in attributes.names})


def build_mirrored(network: DlibNetwork, attributes: Attributes) -> bytes:
    """Build the graph of the heads of mirror images.

    dlib's own stages do not see them, for that would cost as much as the branch: the second input,
    `features`, has theirs of the faces as they are.

    Args:
        network: Weights of dlib's network.
        attributes: Weights of the branch.

    Returns:
        A serialized ONNX model.
    """
    graph = _Graph()
    # A Gather is twice as quick as a Slice backwards.
    columns = graph.constant(np.arange(SIZE - 1, -1, -1))
    trunk, _ = _trunk(graph, network, graph.add("Gather", "chips", columns, axis=2))
    _attributes(graph, trunk, attributes)
    widths = {name: SIZES[name] for name in attributes.names}
    return graph.serialize(widths, features=IDENTITY_FEATURES)


class _Graph:
    """A graph under construction, with names for its values."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}
        self._rounded: dict[str, str] = {}

    def add(self, op: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Append a node, and return the name of its output."""
        output = name or f"{op.lower()}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(op, inputs, [output], **attributes))
        return output

    def constant(self, values: "np.ndarray[Any, Any]") -> str:
        """Store an array in the model, equal ones once, and return its name."""
        tensor = numpy_helper.from_array(np.asarray(values, order="C"))
        tensor.name = f"constant_{sha256([tensor.SerializeToString()]).hexdigest()[:16]}"
        self._constants[tensor.name] = tensor
        return tensor.name

    def rounded(self, x: str, limit: float) -> str:
        """Append the rounding of values to 256 steps from 0 to a limit, once for all that ask.

        Args:
            x: Name of the values.
            limit: Limit of the first that asks; those above it become it.
        """
        if x not in self._rounded:
            form = (
                self.constant(np.array(limit / 255, np.float32)),
                self.constant(np.array(0, np.uint8)),
            )
            steps = self.add("QuantizeLinear", x, *form)
            self._rounded[x] = self.add("DequantizeLinear", steps, *form)
        return self._rounded[x]

    def as_rounded(self, x: str) -> str:
        """Append values of 8 bits as numbers that are rounded already, and return their name."""
        form = self.constant(np.array(1, np.float32)), self.constant(np.array(0, np.uint8))
        x = self.add("DequantizeLinear", x, *form)
        self._rounded[x] = x
        return x

    def rounded_filters(self, filters: F32) -> str:
        """Store filters (out, in, k, k) in 8 bits, with a scale for each output."""
        scales = np.abs(filters).max((1, 2, 3)) / np.float32(127)
        scales[scales == 0] = 1
        steps = np.round(filters / scales[:, None, None, None]).astype(np.int8)
        form = self.constant(scales), self.constant(np.zeros(len(scales), np.int8))
        return self.add("DequantizeLinear", self.constant(steps), *form, axis=0)

    def serialize(self, widths: dict[str, int], **others: int) -> bytes:
        """Serialize the graph.

        Args:
            widths: Name -> width k of each output (n, k).
            others: Name -> width k of each input (n, k) besides the chips.
        """
        chips = helper.make_tensor_value_info("chips", TensorProto.UINT8, ["n", SIZE, SIZE, 3])
        inputs, outputs = (
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", width])
                for name, width in of_name.items()
            ]
            for of_name in (others, widths)
        )
        graph = helper.make_graph(
            self._nodes, "dlib_resnet", [chips, *inputs], outputs, [*self._constants.values()]
        )
        opset = [helper.make_opsetid("", _OPSET)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=_IR)
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()


def _stages(
    graph: _Graph, x: str, layers: Iterator[Convolution], shapes: Sequence[tuple[int, int, bool]]
) -> list[str]:
    """Append the residual blocks of some stages, and return the activations after each stage."""
    after, side = [], _SIDE
    for _, blocks, halves in shapes:
        for block in range(blocks):
            if halves and block == 0:
                x = _halving(graph, x, next(layers), next(layers), side)
                side //= 2
            else:
                branch = _branch(graph, x, next(layers), next(layers))
                x = graph.add("Relu", graph.add("Add", x, branch))
        after.append(x)
    return after


def _mean(graph: _Graph, x: str) -> str:
    """Append the mean over the picture (n, c)."""
    return graph.add("Flatten", graph.add("GlobalAveragePool", x))


def _pixels(graph: _Graph, chips: str, *, eight_bits: bool) -> str:
    """Append the pixels (n, 3, S, S) of chips.

    Args:
        graph: The graph.
        chips: Name of the chips (n, S, S, 3).
        eight_bits: Whether the stem is in 8 bits, for which nothing need be rounded.
    """
    if eight_bits:
        return graph.as_rounded(graph.add("Transpose", chips, perm=[0, 3, 1, 2]))
    x = graph.add("Cast", chips, to=TensorProto.FLOAT)
    return graph.add("Transpose", x, perm=[0, 3, 1, 2])


def _trunk(graph: _Graph, network: DlibNetwork, chips: str) -> tuple[str, Iterator[Convolution]]:
    """Append the stem and the first stage; return their activations, and the layers behind."""
    layers = iter(network.convolutions)
    stem = next(layers)
    x = _pixels(graph, chips, eight_bits=stem.limit is not None)
    x = graph.add("Relu", _stem(graph, x, stem, network.mean))
    x = graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2])
    (trunk,) = _stages(graph, x, layers, STAGES[:1])
    return trunk, layers


def _attributes(graph: _Graph, trunk: str, attributes: Attributes) -> None:
    """Append the attribute branch on a trunk, and the heads on it and on `features`."""
    x = _branch_features(graph, trunk, attributes)
    y = graph.add("Relu", _linear(graph, "features", attributes, "identity.hidden"))
    for name in attributes.names:
        own = _linear(graph, x, attributes, name)
        graph.add("Add", own, _linear(graph, y, attributes, f"identity.{name}"), name=name)


def _branch_features(graph: _Graph, trunk: str, attributes: Attributes) -> str:
    """Append the branch on one trunk, and return its hidden layer (n, 512)."""
    after = _stages(graph, trunk, iter(attributes.convolutions), STAGES[1:])
    pooled = [*(_mean(graph, x) for x in after[:-1]), graph.add("Flatten", after[-1])]
    branch = graph.add("Concat", *pooled, axis=1)
    return graph.add("Relu", _linear(graph, branch, attributes, "hidden"))


def _linear(graph: _Graph, x: str, attributes: Attributes, layer: str) -> str:
    """Append the linear layer of this name."""
    weights = (graph.constant(attributes.tensors[f"{layer}.{p}"]) for p in ("weight", "bias"))
    return graph.add("Gemm", x, *weights, transB=1)


def _halving(graph: _Graph, x: str, first: Convolution, second: Convolution, side: int) -> str:
    """Append a block that halves a picture of this side.

    dlib adds tensors of unlike size by padding each with zeros up to the larger: the branch at the
    right and bottom, the shortcut in its missing channels. Here nothing is padded, and nothing
    leaves the layout that is best for convolutions: the channels that are added to the shortcut
    and those that are not are computed apart.
    """
    filters, bias = second.folded()
    short = side // 2 - ((side - 3) // 2 + 1)
    shared = first.filters.shape[1]
    inner = graph.add("Relu", _convolve(graph, x, *first.folded(), first))
    shortcut = graph.add("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    parts = []
    for part in (slice(None, shared), slice(shared, len(filters))):
        if part.start == len(filters):
            continue
        branch = _convolve(graph, inner, filters[part], bias[part], second)
        branch = _grown(graph, branch, len(filters[part]), short)
        whole = branch if part.start else graph.add("Add", branch, shortcut)
        parts.append(graph.add("Relu", whole))
    return graph.add("Concat", *parts, axis=1) if len(parts) > 1 else parts[0]


def _grown(graph: _Graph, x: str, channels: int, pixels: int) -> str:
    """Append zeros behind the last rows and columns, by a convolution that changes nothing else."""
    if not pixels:
        return x
    same = graph.constant(np.eye(channels, dtype=np.float32)[:, :, None, None])
    return graph.add("Conv", x, same, kernel_shape=[1, 1], pads=[0, 0, pixels, pixels])


def _branch(graph: _Graph, x: str, first: Convolution, second: Convolution) -> str:
    """Append the two convolutions of a residual block."""
    x = graph.add("Relu", _convolve(graph, x, *first.folded(), first))
    return _convolve(graph, x, *second.folded(), second)


def _stem(graph: _Graph, x: str, layer: Convolution, mean: F32) -> str:
    """Append the first convolution, with the normalisation of the pixels folded into it.

    That is exact because the convolution pads nothing.
    """
    filters, bias = layer.folded()
    filters = (filters.astype(np.float64) / 256).astype(np.float32)
    offset = np.einsum("oihw,i->o", filters.astype(np.float64), mean.astype(np.float64))
    return _convolve(graph, x, filters, (bias - offset).astype(np.float32), layer)


def _convolve(graph: _Graph, x: str, filters: F32, bias: F32, layer: Convolution) -> str:
    """Append a convolution with the stride and the padding of a layer, in 8 bits if it says so."""
    if layer.limit is None:
        weights = graph.constant(filters), graph.constant(bias)
    else:
        x = graph.rounded(x, layer.limit)
        weights = graph.rounded_filters(filters), graph.constant(bias)
    strides, pads = [layer.stride] * 2, [layer.padding] * 4
    return graph.add(
        "Conv", x, *weights, kernel_shape=list(filters.shape[2:]), strides=strides, pads=pads
    )
