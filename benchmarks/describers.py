"""Describers: milliseconds a face, to cut its chip and to describe it.

``DESCRIBERS``, specs with a blank between them, chooses others, such as
``onnx:embed=FILE.onnx,spec=edgeface``. Medians of alternating runs, so that a busy moment of the
machine meets all; processor time leaves out the waiting, and adds up the threads. The faces are
noise, of which dlib_resnet is unsure: it looks at all of them twice, at one real one in five.
"""

import os
import statistics
import time
from collections.abc import Callable

import numpy as np

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES

_DEFAULT = "dlib_resnet"
_RUNS = 9
_FACES = 32
_SIDE = 200
"""Of a face, in pixels."""


def run() -> dict[str, float]:
    """Milliseconds a face of each describer, with all attributes that it makes."""
    picture = np.random.default_rng(0).integers(0, 256, (720, 1280, 3), np.uint8)
    corners = np.random.default_rng(1).integers(0, 500, (_FACES, 2))
    boxes = np.concatenate([corners, corners + _SIDE], 1).astype(np.float32)
    steps: dict[str, Callable[[], object]] = {}
    for spec in os.environ.get("DESCRIBERS", _DEFAULT).split():
        runtime = Runtime(device="cpu")
        made = registry.load("describe", spec, runtime=runtime, attributes=ATTRIBUTES)
        cut = registry.load("align", made.aligner, runtime=runtime)
        chips = cut.align(picture, boxes, None).images
        steps[f"{spec}_align"] = lambda cut=cut: cut.align(picture, boxes, None)
        steps[f"{spec}_describe"] = lambda made=made, chips=chips: made.describe(chips)
    return _costs(steps)


def _costs(steps: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median milliseconds a face of each step, on the clock and of the processor."""
    clock: dict[str, list[float]] = {name: [] for name in steps}
    computed: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(_RUNS + 1):
        for name, step in steps.items():
            started, before = time.perf_counter(), time.process_time()
            step()
            if number:  # the first does not count
                clock[name].append((time.perf_counter() - started) / _FACES * 1000)
                computed[name].append((time.process_time() - before) / _FACES * 1000)
    return {
        key: value
        for name in steps
        for key, value in (
            (f"{name}_ms_shortest", min(clock[name])),
            (f"{name}_ms_median", statistics.median(clock[name])),
            (f"{name}_cpu_ms_median", statistics.median(computed[name])),
        )
    }
