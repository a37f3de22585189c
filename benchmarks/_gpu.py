"""Speed of detector and describer on an NVIDIA card, beside what the card could do at best.

Needs PyTorch, numpy and onnx, no other library and no network, and less than 6 minutes: see
`benchmarks/gpu.sh`. Networks are executed as PyTorch does best: channels last, and recorded as a
CUDA graph. PyTorch has no convolutions of 8 bits: they go as products of matrices of patches, where
its products take their sides; the others stay bf16.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from benchmarks._onnx_torch import Graph

SHAPES = {"detect": (384, 640, 3), "describe": (150, 150, 3)}
"""Network -> shape of one picture; the file `NAME.onnx` holds the network."""
PRECISIONS = {"f32": torch.float32, "bf16": torch.bfloat16, "int8": torch.bfloat16}
"""Precision -> numbers of the layers that do not compute with 8 bits."""
_LIMIT_S = 300.0
_SECONDS = 0.5
"""Of each measurement."""


@dataclass(frozen=True)
class Effort:
    """How much is measured."""

    device: str
    batches: Sequence[int]
    side: int
    """Of the square matrices with which the device's rate is measured."""
    seconds: float
    least_runs: int


CARD = Effort("cuda", [2**n for n in range(9)], 8192, _SECONDS, 10)
DRY = Effort("cpu", [1, 2], 256, 0.0, 1)
"""All that a card does, once, on the CPU: it shows that the program works."""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print and write the figures; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=Path, help="folder with detect.onnx and describe.onnx")
    parser.add_argument("--json", type=Path, required=True, help="file for the figures")
    parser.add_argument("--dry", action="store_true", help="try it on the CPU, with few pictures")
    args = parser.parse_args(argv)
    if not args.dry and not torch.cuda.is_available():
        print("gpu: PyTorch sees no card; see nvidia-smi, or try it with --dry", file=sys.stderr)
        return 2
    effort = DRY if args.dry else CARD
    started = time.monotonic()
    with torch.inference_mode():
        rates = _rates(effort)
        rows = []
        for row in _measure(args.networks, effort, rates):
            print(json.dumps(row), flush=True)
            rows.append(row)
            if time.monotonic() - started > _LIMIT_S:
                print("gpu: time is over; the rest is left out", file=sys.stderr)
                break
    figures = {"machine": _machine(effort), "rates": rates, "rows": rows}
    args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def _machine(effort: Effort) -> dict[str, object]:
    name = torch.cuda.get_device_name() if effort.device == "cuda" else "cpu"
    versions = {"torch": torch.__version__, "onnx": onnx.__version__, "cuda": torch.version.cuda}
    return {"device": name, **versions, "effort": asdict(effort)}


def _rates(effort: Effort) -> dict[str, float]:
    """Return what the device does at best: operations a second by precision, bytes a second."""
    side, device = effort.side, effort.device
    rates = {}
    for name, kind in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        matrix = torch.ones(side, side, dtype=kind, device=device)
        rates[name] = 2 * side**3 / _seconds(partial(torch.mm, matrix, matrix), effort)
    eighths = torch.ones(side, side, dtype=torch.int8, device=device)
    # Its second factor lies by columns.
    product = partial(torch._int_mm, eighths, eighths.t())
    rates["int8"] = 2 * side**3 / _seconds(product, effort)
    source = torch.ones(8 * side * side, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    rates["bytes"] = 2 * source.nbytes / _seconds(partial(target.copy_, source), effort)
    return rates


def _measure(folder: Path, effort: Effort, rates: dict[str, float]) -> Iterator[dict[str, object]]:
    for name, shape in SHAPES.items():
        exact = Graph(folder / f"{name}.onnx", effort.device)
        for precision, kind in PRECISIONS.items():
            graph = exact.converted(kind, eighths=precision == "int8")
            for batch in effort.batches:
                row = {"network": name, "precision": precision, "batch": batch}
                try:
                    inputs = _pictures(batch, shape, effort.device)
                    yield row | _figures(graph, exact, inputs, effort, rates, precision)
                except torch.OutOfMemoryError as error:
                    yield row | {"failed": str(error).splitlines()[0]}


def _pictures(batch: int, shape: Sequence[int], device: str) -> Any:
    random = np.random.default_rng(0)
    return torch.from_numpy(random.integers(0, 256, (batch, *shape), np.uint8)).to(device)


def _figures(
    graph: Graph,
    exact: Graph,
    inputs: Any,
    effort: Effort,
    rates: dict[str, float],
    precision: str,
) -> dict[str, object]:
    """Return the figures of one network at one batch: milliseconds a picture, and differences."""
    batch = len(inputs)
    few = inputs[:4]
    off = [
        float((ours.float() - theirs).abs().max() / theirs.abs().max())
        for ours, theirs in zip(graph.run(few), exact.run(few), strict=True)
    ]
    eager_s = _seconds(partial(graph.run, inputs), effort)
    recorded_s = _seconds(_recorded(graph, inputs), effort) if effort.device == "cuda" else eager_s
    floor_s = graph.floor_s(inputs[:1], batch, rates, precision)
    per_ms = 1000 / batch
    return {
        "eager_ms": eager_s * per_ms,
        "recorded_ms": recorded_s * per_ms,
        "floor_ms": floor_s * per_ms,
        "times_floor": recorded_s / floor_s,
        "layers_in_8_bits": graph.eighths,
        "largest_relative_difference": max(off),
    }


def _recorded(graph: Graph, inputs: Any) -> Callable[[], Any]:
    """Return a function that replays a network as one CUDA graph."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            graph.run(inputs)
    torch.cuda.current_stream().wait_stream(side)
    recorded = torch.cuda.CUDAGraph()
    with torch.cuda.graph(recorded):
        graph.run(inputs)
    return recorded.replay


def _seconds(work: Callable[[], Any], effort: Effort) -> float:
    """Return the seconds of a piece of work: the median of runs."""
    wait = torch.cuda.synchronize if effort.device == "cuda" else lambda: None
    work()
    wait()
    times: list[float] = []
    until = time.monotonic() + effort.seconds
    while len(times) < effort.least_runs or time.monotonic() < until:
        started = time.perf_counter()
        work()
        wait()
        times.append(time.perf_counter() - started)
    return float(np.median(times))


if __name__ == "__main__":
    sys.exit(main())
