"""Print the limits of `analyzer/stages/describe/_dlib_eight_bits.py`, measured on real faces.

::

    python tools/eight_bit_limits.py --data FAIRFACE [--pictures 400]

FAIRFACE is its folder as published; pictures are drawn from its training split with a fixed seed.
A limit is the one at which 256 steps from 0 differ least from a layer's inputs, in the mean of
squares: the few values above it lose more, all others less.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import onnx

from analyzer.evaluation.datasets import fairface
from analyzer.inference.runtime import Runtime
from analyzer.stages.describe import _dlib_attributes, _dlib_dat, _dlib_graph
from analyzer.stages.describe._dlib_attributes import SHIPPED, TRUNK
from analyzer.types import F64, U8
from analyzer.weights import locate

_BINS = 2048
_SHARES = np.linspace(0.3, 1, 71)
"""Limits that are tried, as shares of the greatest value."""
_BATCH = 4


class Inputs:
    """Values that the layers of the describer are given, of one graph with all of them as outputs.

    Args:
        runtime: Runtime that executes the graph.
    """

    def __init__(self, runtime: Runtime) -> None:
        network = _dlib_dat.read(locate.locate("dlib_resnet"))
        branch = _dlib_attributes.load(SHIPPED)
        filters = [c.filters for c in (*network.convolutions[TRUNK:], *branch.convolutions)]
        self.layers: dict[int, set[str]] = defaultdict(set)
        """Number of a layer, first of dlib's network, then of the branch -> names of its inputs."""
        append = _dlib_graph._convolve

        def noting(graph: Any, x: str, weights: Any, bias: Any, layer: Any) -> str:
            self.layers.update(
                {i: self.layers[i] | {x} for i, f in enumerate(filters) if f is layer.filters}
            )
            return append(graph, x, weights, bias, layer)

        with mock.patch.object(_dlib_graph, "_convolve", noting):
            model = onnx.load_from_string(_dlib_graph.build(network, branch))
        names = sorted(set().union(*self.layers.values()))
        outputs = [
            onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, None) for n in names
        ]
        model.graph.output.extend(outputs)
        self._session = runtime.load(model.SerializeToString())

    def of(self, chips: U8) -> Iterator[dict[str, Any]]:
        """Yield the inputs by name, of some chips at a time."""
        for start in range(0, len(chips), _BATCH):
            values = self._session.run(chips=np.ascontiguousarray(chips[start : start + _BATCH]))
            yield dict(zip(self._session.outputs, values, strict=True))


def limits(chips: U8, runtime: Runtime) -> list[float]:
    """Return the limit of each layer, first of dlib's network, then of the branch.

    Args:
        chips: (n, 150, 150, 3) RGB.
        runtime: Runtime that executes the graph.
    """
    inputs = Inputs(runtime)
    greatest = np.zeros(len(inputs.layers))
    for values in inputs.of(chips):
        for layer, names in inputs.layers.items():
            greatest[layer] = max(greatest[layer], *(values[name].max() for name in names))
    counts = np.zeros((len(greatest), _BINS))
    for values in inputs.of(chips):
        for layer, names in inputs.layers.items():
            for name in names:
                counts[layer] += np.histogram(values[name], _BINS, (0, greatest[layer]))[0]
    return [_best(row, most) for row, most in zip(counts, greatest, strict=True)]


def _best(counts: F64, greatest: float) -> float:
    """Return the limit with the least squared error.

    Args:
        counts: (bins,) number of values from 0 to the greatest.
        greatest: The greatest value.
    """
    values = (np.arange(len(counts)) + 0.5) / len(counts) * greatest

    def error(limit: float) -> float:
        rounded = np.round(values / limit * 255).clip(0, 255) * limit / 255
        return float(np.sum(counts * (rounded - values) ** 2))

    return min((float(share * greatest) for share in _SHARES), key=error)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="FairFace")
    parser.add_argument("--pictures", type=int, default=400, metavar="N", help="how many pictures")
    args = parser.parse_args(argv)
    dataset = fairface.create(folder=args.data, split="train")
    drawn = np.random.default_rng(0).choice(len(dataset), args.pictures, replace=False)
    chips = np.concatenate([dataset.chips(i, i + 1) for i in sorted(drawn.tolist())])
    chips = np.concatenate([chips, chips[:, :, ::-1]])
    found = [float(f"{limit:.3g}") for limit in limits(chips, Runtime(device="cpu"))]
    behind = len(_dlib_dat.shapes()) - TRUNK
    print("NETWORK_LIMITS =", tuple(found[:behind]))
    print("BRANCH_LIMITS =", tuple(found[behind:]))
    print("BRANCH_SHA256 =", repr(locate.sha256(SHIPPED)))


if __name__ == "__main__":
    main()
