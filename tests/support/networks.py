"""Small ONNX networks with known answers."""

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

FLOAT = onnx.TensorProto.FLOAT
KINDS = {"score": 1, "bbox": 4, "kps": 10}
DISTANCES = (1.0, 2.0, 3.0, 4.0)
"""From an anchor's centre to the left, up, right and down, in strides."""
MARKS = (0.0, 0.5, 2.0, 0.5, 1.0, 1.5, 0.0, 3.0, 2.0, 3.0)
"""Of five points from an anchor's centre, x and y, in strides."""


def constant(name: str, values: object, kind: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(values, kind), name)


def save(path: Path, nodes, inputs, outputs, constants) -> Path:
    def value(name, shape):
        return helper.make_tensor_value_info(name, FLOAT, shape)

    graph = helper.make_graph(
        nodes, "test", [value(*i) for i in inputs], [value(*o) for o in outputs], constants
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def scrfd(path: Path, *, marks: bool = True, batched: bool = True, sides=("h", "w")) -> Path:
    """A network of SCRFD's form that finds a face wherever a cell of 8 x 8 pixels is white.

    Of each cell's two anchors, the second is half as sure.

    Args:
        path: of the file.
        marks: whether it gives landmarks.
        batched: whether it takes several pictures at once.
        sides: height and width that it takes, numbers or names.
    """
    node, nodes, outputs = helper.make_node, [], []
    constants = [
        constant("box", [[DISTANCES]]), constant("points", [[MARKS]]), constant("zero", 0.0),
        constant("sure", [[[[1.0]], [[0.5]]]]), constant("first", [0], np.int64),
    ]  # fmt: skip
    nodes.append(node("ReduceMean", ["pixels"], ["grey"], axes=[1], keepdims=1))
    for stride in (8, 16, 32):
        constants.append(constant(f"shape{stride}", [0, -1, 1], np.int64))
        nodes += [
            node("AveragePool", ["grey"], [f"cells{stride}"],
                 kernel_shape=[stride, stride], strides=[stride, stride]),
            node("Mul", [f"cells{stride}", "sure"], [f"both{stride}"]),
            node("Transpose", [f"both{stride}"], [f"last{stride}"], perm=[0, 2, 3, 1]),
            node("Reshape", [f"last{stride}", f"shape{stride}"], [f"raw_score_{stride}"]),
            node("Mul", [f"raw_score_{stride}", "zero"], [f"zeros{stride}"]),
            node("Add", [f"zeros{stride}", "box"], [f"raw_bbox_{stride}"]),
            node("Add", [f"zeros{stride}", "points"], [f"raw_kps_{stride}"]),
        ]  # fmt: skip
    for kind in ("score", "bbox", "kps")[: 3 if marks else 2]:
        for stride in (8, 16, 32):
            name = f"{kind}_{stride}"
            step = (
                ("Identity", [f"raw_{name}"]) if batched else ("Squeeze", [f"raw_{name}", "first"])
            )
            nodes.append(node(*step, [name]))
            shape = ["n", f"anchors{stride}", KINDS[kind]]
            outputs.append((name, shape if batched else shape[1:]))
    shape = ["n" if batched else 1, 3, *sides]
    return save(path, nodes, [("pixels", shape)], outputs, constants)


def retinaface(path: Path, *, batch: int | str = 1, sides=("h", "w")) -> Path:
    """A network of RetinaFace's form that finds a face wherever a cell of 8 x 8 pixels is white.

    The first of a cell's two anchors is sure, the second is not; boxes are moved by half a side to
    the right and twice as high as their anchor; the points are at `MARKS`, in tenths of a side.
    """
    node, nodes, joined = helper.make_node, [], []
    constants = [
        constant("box", [[(5.0, 0.0, 0.0, 5 * np.log(2.0))]]), constant("points", [[MARKS]]),
        constant("zero", 0.0), constant("sure", [[[[1.0]], [[0.0]]]]),
        constant("shape", [0, -1, 1], np.int64), constant("scale", 1 / 255),
        constant("mean", [[[[104.0]], [[117.0]], [[123.0]]]]), constant("one", 1.0),
    ]  # fmt: skip
    nodes.append(node("Add", ["input", "mean"], ["raw"]))
    nodes.append(node("ReduceMean", ["raw"], ["grey"], axes=[1], keepdims=1))
    nodes.append(node("Mul", ["grey", "scale"], ["light"]))
    for stride in (8, 16, 32):
        size = {"kernel_shape": [stride, stride], "strides": [stride, stride]}
        nodes += [
            node("AveragePool", ["light"], [f"cells{stride}"], **size),
            node("Mul", [f"cells{stride}", "sure"], [f"both{stride}"]),
            node("Transpose", [f"both{stride}"], [f"last{stride}"], perm=[0, 2, 3, 1]),
            node("Reshape", [f"last{stride}", "shape"], [f"scores{stride}"]),
        ]
        joined.append(f"scores{stride}")
    nodes += [
        node("Concat", joined, ["faces"], axis=1),
        node("Sub", ["one", "faces"], ["others"]),
        node("Concat", ["others", "faces"], ["confidence"], axis=2),
        node("Mul", ["faces", "zero"], ["nothing"]),
        node("Add", ["nothing", "box"], ["boxes"]),
        node("Add", ["nothing", "points"], ["landmarks"]),
    ]
    outputs = [
        (name, [batch, "a", values])
        for name, values in (("boxes", 4), ("confidence", 2), ("landmarks", 10))
    ]
    return save(path, nodes, [("input", [batch, 3, *sides])], outputs, constants)


def ssd(path: Path, rows) -> Path:
    """A network that answers these rows (n, 7) to every picture of 300 x 300."""
    node = helper.make_node
    nodes = [
        node("ReduceMean", ["data"], ["mean"], axes=[1, 2, 3], keepdims=1),
        node("Mul", ["mean", "zero"], ["nothing"]),
        node("Add", ["nothing", "rows"], ["detection_out"]),
    ]
    outputs = [("detection_out", [1, 1, len(rows), len(rows[0])])]
    constants = [constant("rows", [[rows]]), constant("zero", 0.0)]
    return save(path, nodes, [("data", [1, 3, 300, 300])], outputs, constants)


def channel_means(
    path: Path,
    *,
    outputs: dict[str, np.ndarray],
    size: int = 112,
    batch: int | str = "n",
    layout: str = "NCHW",
) -> Path:
    """Write a network that gives the means of the three channels, times matrices (3, k)."""
    side, last = ([3, size, size], False) if layout == "NCHW" else ([size, size, 3], True)
    axes = [1, 2] if last else [2, 3]
    nodes = [helper.make_node("ReduceMean", ["input"], ["mean"], axes=axes, keepdims=0)]
    for name in outputs:
        nodes.append(helper.make_node("MatMul", ["mean", f"{name}_weights"], [name]))
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "small",
            [helper.make_tensor_value_info("input", FLOAT, [batch, *side])],
            [
                helper.make_tensor_value_info(
                    name, onnx.TensorProto.FLOAT, [batch, matrix.shape[1]]
                )
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
    return channel_means(path, outputs={"embedding": np.eye(3)}, **options)


def need_onnx2torch() -> None:
    """Skip the test where the library is missing; it is slow to import."""
    if importlib.util.find_spec("onnx2torch") is None:
        pytest.skip("onnx2torch is not installed")
