"""Small ONNX networks with known answers."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(
    path: Path,
    *,
    outputs: dict[str, np.ndarray],
    size: int = 112,
    batch: int | str = "n",
    layout: str = "NCHW",
) -> Path:
    """Write a network whose outputs are the means of the three channels times matrices (3, k)."""
    side, last = ([3, size, size], False) if layout == "NCHW" else ([size, size, 3], True)
    nodes = [helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2] if last else [2, 3],
                              keepdims=0)]  # fmt: skip
    for name in outputs:
        nodes.append(helper.make_node("MatMul", ["mean", f"{name}_weights"], [name]))
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, *side])],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, matrix.shape[1]])
                for name, matrix in outputs.items()
            ],
            [
                numpy_helper.from_array(matrix.astype(np.float32), f"{name}_weights")
                for name, matrix in outputs.items()
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))
    return path


def embedding(path: Path, **options: Any) -> Path:
    """Write a network that gives the mean colour of its input, after its normalisation."""
    return save(path, outputs={"embedding": np.eye(3)}, **options)
