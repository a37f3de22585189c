"""The describer with layers in 8 bits: which they are, and how near its answers stay."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.stages.describe import (
    _dlib_attributes,
    _dlib_eight_bits,
    _dlib_graph,
    dlib_resnet,
)
from analyzer.types import U8
from analyzer.weights import locate
from tests.support.media import astronaut

DAT = locate.locate("dlib_resnet")
FILES = [DAT, _dlib_attributes.SHIPPED]


@pytest.fixture(scope="module")
def graphs() -> tuple[bytes, bytes]:
    """In 32 bits, and with layers in 8."""
    return (
        dlib_resnet._build(FILES, ("sex", "age")),
        dlib_resnet._build(FILES, ("sex", "age"), eight_bits=True),
    )


@pytest.fixture(scope="module")
def chips() -> U8:
    """A portrait at six sizes, dark and bright."""
    runtime = Runtime(device="cpu")
    image = astronaut()
    found = registry.load("detect", "centerface", runtime=runtime).detect([image])[0]
    aligner = registry.load("align", dlib_resnet.DlibResnet.aligner, runtime=runtime)
    chip = aligner.align(image, found.boxes, found.landmarks).images[0]
    gammas = np.linspace(0.6, 1.8, 6)
    return np.stack([(255 * (chip / 255) ** gamma).astype(np.uint8) for gamma in gammas])


def test_limits_are_those_of_the_branch_that_ships() -> None:
    """Else measure anew: tools/eight_bit_limits.py."""
    assert locate.sha256(_dlib_attributes.SHIPPED) == _dlib_eight_bits.BRANCH_SHA256


def rounded_layers(model: bytes) -> Counter[str]:
    """Number of convolutions by the type of their filters."""
    graph = onnx.load_from_string(model).graph
    scaled = {n.output[0] for n in graph.node if n.op_type == "DequantizeLinear"}
    kinds = (
        (n.input[0] in scaled, n.input[1] in scaled) for n in graph.node if n.op_type == "Conv"
    )
    return Counter("both" if all(k) else "neither" if not any(k) else "one" for k in kinds)


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_stem_and_the_layers_behind_the_trunk_are_rounded(mirrored: bool) -> None:
    plain, rounded = (
        dlib_resnet._build(FILES, ("sex", "age"), mirrored=mirrored, eight_bits=eight_bits)
        for eight_bits in (False, True)
    )
    exact, fast = map(rounded_layers, (plain, rounded))
    assert list(exact) == ["neither"]
    # The trunk without its stem; three that append zeros, and nothing else, in the branch, and in
    # dlib's own stages, which see no mirror images.
    assert fast["neither"] == _dlib_attributes.TRUNK - 1 + (3 if mirrored else 2 * 3)
    assert fast["both"] == exact["neither"] - fast["neither"]
    # The graph of mirror images lacks dlib's own stages, and its trunk weighs more.
    assert len(rounded) < (0.4 if mirrored else 0.35) * len(plain)


def test_a_branch_of_a_user_stays_as_it_is(tmp_path: Path) -> None:
    tensors = dict(_dlib_attributes.load(_dlib_attributes.SHIPPED).tensors)
    tensors["sex.bias"] = tensors["sex.bias"] + 1
    path = tmp_path / "own.safetensors"
    _dlib_attributes.save(_dlib_attributes.Attributes(tensors), path, {})
    mine = rounded_layers(dlib_resnet._build([DAT, path], ("sex",), eight_bits=True))
    alone = rounded_layers(dlib_resnet._build([DAT], (), eight_bits=True))
    assert mine["both"] == alone["both"] > 0


def answers(graph: bytes, chips: U8) -> dict[str, Any]:
    """Outputs by name, with the roundings that stand in the graph and no others.

    Optimised, each kind of processor has kernels of its own, with roundings of their own.
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    inputs = {session.get_inputs()[0].name: chips}
    return dict(zip(names, session.run(names, inputs), strict=True))


def test_answers_stay_near(graphs: tuple[bytes, bytes], chips: U8) -> None:
    ours, theirs = (answers(graph, chips) for graph in graphs)
    apart = np.linalg.norm(ours["embedding"] - theirs["embedding"], axis=1)
    assert 0 < apart.max() < 0.05
    for name, limit in (("sex", 0.25), ("age", 0.35)):
        assert 0 < np.abs(ours[name] - theirs[name]).max() < limit
    np.testing.assert_array_equal(ours["sex"] > 0, theirs["sex"] > 0)


def test_filters_of_nothing_are_rounded_to_nothing() -> None:
    graph = _dlib_graph._Graph()
    filters = np.zeros((2, 1, 3, 3), np.float32)
    filters[1, 0, 1] = 0.5, -2, 127 / 64
    graph.rounded_filters(filters)
    scales, steps = (
        next(v for v in map(onnx.numpy_helper.to_array, graph._constants.values()) if pick(v))
        for pick in (lambda v: v.dtype == np.float32, lambda v: v.ndim == 4)
    )
    np.testing.assert_array_equal(scales, np.float32([1, 2 / 127]))
    np.testing.assert_array_equal(steps[1, 0, 1], [32, -127, 126])
    assert not steps[0].any()


def test_the_runtime_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    loaded: list[Any] = []
    load = Runtime.load
    monkeypatch.setattr(
        Runtime, "load", lambda self, model: loaded.append(model) or load(self, model)
    )
    for eight_bits in (False, True, False, True):
        monkeypatch.setattr(Runtime, "eight_bits", eight_bits)
        registry.load("describe", "dlib_resnet", runtime=Runtime(device="cpu"), attributes=())
    # Each is built in 32 bits and compared with dlib; the second time it is read from the cache.
    files = {path.stat().st_size for path in tmp_path.rglob("graphs/*.onnx")}
    assert [type(model) is bytes for model in loaded] == [True, True, True, True, False, False]
    assert [len(model) for model in loaded[:4]] == [max(files)] * 3 + [min(files)]
