"""Single stages on made-up data, and a joblist served to workers."""

import csv
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analyzer import registry
from analyzer.inference.runtime import Runtime
from analyzer.options import ATTRIBUTES
from analyzer.types import F32
from benchmarks import _faces

_ROOT = Path(__file__).parent.parent
_FACES = 40
_TRACKS, _PEOPLE, _DIMENSIONS = 10_000, 500, 128
_SPREAD = 0.02
"""Of a person's embeddings in each dimension: as far apart as those of real tracks."""
_HOURS = 2
_CLIPS = 20


def describe(runs: int) -> dict[str, float]:
    """Milliseconds a face, embedding and heads."""
    chips = _faces.chips(_FACES)
    runtime = Runtime(device="cpu")
    network = registry.load("describe", "dlib_resnet", runtime=runtime, attributes=ATTRIBUTES)
    seconds = _median(runs, lambda: network.describe(chips))
    return {"describe_ms_per_face": seconds / _FACES * 1000}


def cluster(runs: int) -> dict[str, float]:
    """Seconds to cluster the tracks of a large medium."""
    random = np.random.default_rng(0)
    people = random.standard_normal((_PEOPLE, _DIMENSIONS))
    people *= 1.37 / np.linalg.norm(people, axis=1, keepdims=True)
    tracks: F32 = (
        people[random.integers(0, _PEOPLE, _TRACKS)]
        + random.standard_normal((_TRACKS, _DIMENSIONS)) * _SPREAD
    ).astype(np.float32)
    clusterer = registry.load("cluster", "chinese_whispers", runtime=Runtime(device="cpu"))
    weights, apart = np.ones(_TRACKS, np.float32), np.empty((0, 2), np.int64)
    seconds = _median(runs, lambda: clusterer.cluster(tracks, weights, apart, 0.5))
    return {"cluster_10000_tracks_s": seconds}


def subtitle(runs: int) -> dict[str, float]:
    """Seconds to write the ASS of a film of two hours at 5 fps, with two faces on screen."""
    from tests.support.reports import Face, make_report

    faces = [
        Face(frame=5 * n, time_s=n / 5, box=(10 + 300 * who, 20, 150 + 300 * who, 200),
             track=2 * (n // 50) + who)
        for n in range(_HOURS * 3600 * 5)
        for who in range(2)
    ]  # fmt: skip
    tracks = {face.track: face.track % 40 for face in faces}
    report = make_report(faces, persons=tracks, duration_s=_HOURS * 3600)
    exporter = registry.load("export", "ass", runtime=Runtime(device="cpu"))
    with tempfile.TemporaryDirectory() as folder:
        seconds = _median(runs, lambda: exporter.write(report, Path(folder) / "film.ass", None))
    return {"ass_2_hours_s": seconds}


def serve(clip: Path, folder: Path, *, workers: int) -> dict[str, float]:
    """Seconds from the start of a server to its end."""
    place = Path(tempfile.mkdtemp(dir=folder))
    with (place / "jobs.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["source_path", "dest_csv"])
        writer.writerows([clip, place / f"{number}.csv"] for number in range(_CLIPS))
    command = [sys.executable, _ROOT / "ina_server.py", "localhost", place / "jobs.csv"]
    command += ["--fps", 5, "--workers", workers, "--ledger", place / "ledger", "--port", 0]
    started = time.perf_counter()
    subprocess.run([*map(str, command)], cwd=_ROOT, check=True, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - started
    shutil.rmtree(place)
    return {"seconds": seconds}


def _median(runs: int, do: Callable[[], object]) -> float:
    """Seconds, after one run that does not count."""
    do()
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        do()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
