"""One measurement of this project in a process of its own: python -m benchmarks._ours NAME ...

The models are loaded before the clock starts, as in a worker; the last line is JSON.
"""

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_MB = 1024


def whole(path: str, options: str) -> dict[str, Any]:
    """Analyse a video and write its table; options: as JSON."""
    began = time.perf_counter()
    analyse = _analysis(options)
    loaded = time.perf_counter()
    return {
        **analyse(path),
        "load_s": loaded - began,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MB,
    }


def warm(options: str) -> dict[str, Any]:
    """Analyse the videos whose paths come in as lines, as a worker does; a line of JSON for each.

    The last line counts them.
    """
    analyse, done = _analysis(options), 0
    for line in sys.stdin:
        print(json.dumps(analyse(line.rstrip("\n"))), file=_told, flush=True)
        done += 1
    return {"videos": done}


def _analysis(options: str) -> Callable[[str], dict[str, Any]]:
    """Load the models; return what analyses a video and writes its table."""
    from analyzer import registry
    from analyzer.options import AnalysisOptions
    from analyzer.pipeline.components import load_components
    from analyzer.workflows.analyze import Request, analyze
    from analyzer.workflows.observer import WholeObserver

    components = load_components(AnalysisOptions(device="cpu", **json.loads(options)))
    exporter = registry.load("export", "csv", runtime=components.runtime)

    def analyse(path: str) -> dict[str, Any]:
        started, cpu = time.perf_counter(), time.process_time()
        observer = WholeObserver(components)
        report = analyze(Request(path=path), components=components, observer=observer)
        with tempfile.TemporaryDirectory() as folder:
            exporter.write(report, Path(folder) / "table.csv", None)
        return {
            "seconds": time.perf_counter() - started,
            "cpu_s": time.process_time() - cpu,
            "frames": report.tally.frames_analysed,
            "faces": report.tally.faces_saved,
        }

    return analyse


def sampled(path: str, options: str) -> dict[str, Any]:
    """The numbers of the frames that an analysis would look at."""
    from analyzer.options import AnalysisOptions
    from analyzer.pipeline.components import load_components

    components = load_components(AnalysisOptions(device="cpu", **json.loads(options)))
    with components.decoder.open(path) as medium:
        return {"numbers": [frame.index for frame in medium.frames(components.watcher())]}


def size(path: str) -> dict[str, Any]:
    """Width and height of a video."""
    from analyzer import registry
    from analyzer.inference.runtime import Runtime

    with registry.load("decode", "video", runtime=Runtime(device="cpu")).open(path) as medium:
        return {"size": [medium.info.width_px, medium.info.height_px]}


def detect(path: str) -> dict[str, Any]:
    """Decode every frame of a video and look for faces, and nothing else."""
    from analyzer import registry
    from analyzer.inference.runtime import Runtime
    from analyzer.pipeline.frames import frames_ahead
    from analyzer.pipeline.prefetch import prefetch
    from analyzer.pipeline.schedule import batches

    runtime = Runtime(device="cpu")
    decoder = registry.load("decode", "video", runtime=runtime)
    detector = registry.load("detect", "centerface", runtime=runtime)
    started = time.perf_counter()
    frames = faces = 0
    with (
        decoder.open(path) as medium,
        prefetch(medium.frames(), depth=frames_ahead(medium.info)) as ahead,
    ):
        for batch in batches(ahead, period=1, size=8):
            found = detector.detect([scheduled.frame.image for scheduled in batch])
            frames, faces = frames + len(batch), faces + sum(map(len, found))
    return {"seconds": time.perf_counter() - started, "frames": frames, "faces": faces}


def export_mp4(path: str) -> dict[str, Any]:
    """Analyse a video at 1 fps, and burn the faces in."""
    from analyzer import registry
    from analyzer.options import AnalysisOptions
    from analyzer.pipeline.components import load_components
    from analyzer.workflows.analyze import Request, analyze
    from analyzer.workflows.observer import WholeObserver

    components = load_components(AnalysisOptions(device="cpu", fps=1))
    report = analyze(Request(path=path), components=components, observer=WholeObserver(components))
    exporter = registry.load("export", "mp4", runtime=components.runtime)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        exporter.write(report, Path(folder) / "faces.mp4", None)
        return {"seconds": time.perf_counter() - started}


if __name__ == "__main__":
    _ROUTES: dict[str, Callable[..., dict[str, Any]]] = {
        route.__name__: route for route in (whole, warm, sampled, size, detect, export_mp4)
    }
    # What the libraries print goes elsewhere: the last line is the result.
    _told = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps(_ROUTES[sys.argv[1]](*sys.argv[2:])), file=_told, flush=True)
