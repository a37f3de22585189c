"""Three kinds of film at 1 fps beside their plain decode, by a warm worker and by a cold analyze.

The films are ten minutes of 720p: the clip of people, a crowded street, and a film of which the
twelfth part has faces. Medians of alternating runs; RUNS sets how many, FILM_S their seconds. A
warm worker has analysed a film before; a cold ``analyze`` is a process of its own, with its start.
Processor seconds stand beside wall seconds: where they differ in proportion, the machine was busy.
"""

import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from benchmarks import _media

_ROOT = Path(__file__).parent.parent
_RUNS = int(os.environ.get("RUNS", "5"))
_SECONDS = int(os.environ.get("FILM_S", "600"))
_CORES = len(os.sched_getaffinity(0))
_FPS = 1
_PRECISIONS = ("exact", "fast") if importlib.util.find_spec("openvino") else ("exact",)
Costs = Mapping[str, float]
"""Seconds and processor seconds of a run."""


def run() -> dict[str, float]:
    """Seconds and processor seconds of each route, and their ratios to the decode."""
    figures: dict[str, float] = {"runs": _RUNS}
    with tempfile.TemporaryDirectory() as name, ExitStack() as workers:
        folder = Path(name)
        analyses = {p: workers.enter_context(_warm_worker(p)) for p in _PRECISIONS}
        for kind, film in _films(folder).items():
            routes: dict[str, Callable[[], Costs]] = {"decode": partial(_decode, film)}
            for precision, analyse in analyses.items():
                analyse(film)  # its shape of picture is compiled for
                routes[f"warm_{precision}"] = partial(analyse, film)
                routes[f"cold_{precision}"] = partial(_cold, film, precision)
            figures |= {f"{kind}_{figure}": v for figure, v in _beside_decode(routes).items()}
    return figures


def _beside_decode(routes: Mapping[str, Callable[[], Costs]]) -> dict[str, float]:
    """Return the medians of all routes over alternating runs, and their ratios to the decode."""
    costs: dict[str, list[Costs]] = {route: [] for route in routes}
    for number in range(_RUNS):
        for route in routes if number % 2 == 0 else reversed(routes):
            costs[route].append(routes[route]())
    medians = {
        route: {key: statistics.median(run[key] for run in runs) for key in ("seconds", "cpu_s")}
        for route, runs in costs.items()
    }
    floor = medians["decode"]
    figures = {}
    for route, median in medians.items():
        figures[f"{route}_s"], figures[f"{route}_cpu_s"] = median["seconds"], median["cpu_s"]
        if route != "decode":
            figures[f"{route}_of_decode"] = median["seconds"] / floor["seconds"]
            figures[f"{route}_cpu_of_decode"] = median["cpu_s"] / floor["cpu_s"]
    return figures


def _films(folder: Path) -> dict[str, Path]:
    """Make the films; that of a street only where the real media are."""
    clip = _media.clip(folder)
    films = {"clip": clip, "few_faces": _media.few_faces(folder, _SECONDS)}
    if _media.STREET.exists():
        films["street"] = _media.STREET
    for kind in films:
        (folder / kind).mkdir()
    return {kind: _media.looped(film, folder / kind, _SECONDS) for kind, film in films.items()}


def _decode(film: Path) -> Costs:
    """Let ffmpeg decode a film, and nothing else."""
    return _child([_media.find_ffmpeg(), "-v", "error", "-nostdin", "-threads", _CORES,
                   "-i", film, "-map", "0:v", "-f", "null", "-"])  # fmt: skip


def _cold(film: Path, precision: str) -> Costs:
    """Analyse a film from the shell, with the csv alone."""
    with tempfile.TemporaryDirectory() as results:
        return _child([sys.executable, "-m", "analyzer", "analyze", film, "-o", results,
                       "--fps", _FPS, "--precision", precision, "--export", "csv"])  # fmt: skip


def _child(command: list[object]) -> Costs:
    """Run a command to its end."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([*map(str, command)], cwd=_ROOT, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"seconds": seconds, "cpu_s": cpu_s}


@contextmanager
def _warm_worker(precision: str) -> Iterator[Callable[[Path], Costs]]:
    """Start a process that analyses one film after the other with models that it loads once."""
    options = json.dumps({"fps": _FPS, "precision": precision})
    command = [sys.executable, "-m", "benchmarks._ours", "warm", options]
    with subprocess.Popen(
        command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, told = process.stdin, process.stdout

        def analyse(film: Path) -> Costs:
            asked.write(f"{film}\n")
            asked.flush()
            costs: Costs = json.loads(told.readline())
            return costs

        yield analyse
        asked.close()
        told.read()  # it says one thing more, and would fail if nobody heard it
