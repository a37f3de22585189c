"""Networks of detectors, read from files."""

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from analyzer.errors import WeightsError


def read(path: Path, *, cure: str) -> Any:
    """Read an ONNX network; see `analyzer.stages.detect._input.read_onnx`."""
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's own errors have no public base
        raise WeightsError(f"{path}: not a whole ONNX file; {cure}") from error
    return model


def for_pictures(model: Any, name: str) -> bytes:
    """Return a graph of planes of fixed size with an input of pictures (B, h, w, 3) uint8.

    A backend makes numbers of bytes more quickly than numpy, and in several threads. Weights are
    no longer listed among the inputs: a backend would have to load the graph twice to learn them.

    Args:
        model: Graph with one input (1, 3, H, W) float32 before its weights, and outputs
            (1, k, h, w); it is changed.
        name: Name of the new input.
    """
    graph = model.graph
    planes = graph.input[0].name
    del graph.input[:]
    sides = ("batch", "height", "width", 3)
    graph.input.append(helper.make_tensor_value_info(name, TensorProto.UINT8, sides))
    for value in graph.output:
        dims = value.type.tensor_type.shape.dim
        for axis, side in ((0, "batch"), (2, "height"), (3, "width")):
            dims[axis].dim_param = f"{side}{value.name}"
    numbers = f"{name} as numbers"
    graph.node.insert(0, helper.make_node("Cast", [name], [numbers], to=TensorProto.FLOAT))
    transpose = helper.make_node("Transpose", [numbers], [planes], perm=[0, 3, 1, 2])
    graph.node.insert(1, transpose)
    return bytes(model.SerializeToString())
