"""Face embeddings by dlib itself and by the describer, on the same chips and cores.

Medians of alternating runs, so that a busy moment of the machine meets both. dlib's network runs
on one thread; the describer is measured on one thread and, with its heads, on every core.
"""

import statistics
import time
from collections.abc import Callable

import dlib
import numpy as np

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES
from analyzer.stages.describe import Describer
from analyzer.weights import locate
from benchmarks import _faces

_RUNS = 5
_CHIPS = 40


def run() -> dict[str, float]:
    """Milliseconds a face, their ratio, and the largest difference of any embedding value."""
    chips = _faces.chips(_CHIPS)
    network = dlib.face_recognition_model_v1(str(locate.locate("dlib_resnet")))
    single = _describer(1, ())
    whole = _describer(0, ATTRIBUTES)
    routes: dict[str, Callable[[], object]] = {
        "dlib": lambda: network.compute_face_descriptor(list(chips)),
        "ours_one_thread": lambda: single.describe(chips),
        "ours_all_cores_with_heads": lambda: whole.describe(chips),
    }
    figures = {f"{name}_ms_per_face": cost for name, cost in _costs(routes).items()}
    theirs = np.array(network.compute_face_descriptor(list(chips)))
    difference = float(np.abs(whole.describe(chips).embeddings - theirs).max())
    ours = "ours_one_thread_ms_per_face", "ours_all_cores_with_heads_ms_per_face"
    ratios = [figures[name] / figures["dlib_ms_per_face"] for name in ours]
    return {
        **figures,
        "one_thread_share_of_dlib": ratios[0],
        "all_cores_with_heads_share_of_dlib": ratios[1],
        "largest_embedding_difference": difference,
    }


def _describer(threads: int, attributes: tuple[str, ...]) -> Describer:
    runtime = Runtime(device="cpu", threads=threads)
    describer: Describer = registry.load(
        "describe", "dlib_resnet", runtime=runtime, attributes=attributes
    )
    return describer


def _costs(routes: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Median milliseconds a face of each route, after one run that does not count."""
    for route in routes.values():
        route()
    costs: dict[str, list[float]] = {name: [] for name in routes}
    for _ in range(_RUNS):
        for name, route in routes.items():
            started = time.perf_counter()
            route()
            costs[name].append((time.perf_counter() - started) / _CHIPS * 1000)
    return {name: statistics.median(values) for name, values in costs.items()}
