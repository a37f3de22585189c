"""Every stage and the whole, side by side with peers on the same media.

Medians of alternating runs, so that a busy moment of the machine meets both sides; RUNS sets how
many. Each run is a process of its own. Models are loaded before the clock starts, on both sides.
"""

import importlib.util
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks import _media, _peers, _stages

_RUNS = int(os.environ.get("RUNS", "5"))
_SECONDS = 600
_CORES = len(os.sched_getaffinity(0))
_HAS_FAST = importlib.util.find_spec("openvino") is not None
_SPARSE = {"fps": 0.1, "shots": "none"}
Figures = dict[str, float]


def run() -> Figures:
    """Seconds of each side, and their ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = _media.clip(folder)
        long = _media.looped(clip, folder, _SECONDS)
        tenth = _media.looped(clip, folder, _SECONDS // 10)
        return {
            "runs": _RUNS,
            **_whole(long, tenth),
            **_route(clip),
            **_detection(clip),
            **_stages.describe(_RUNS),
            **_stages.cluster(_RUNS),
            **_stages.subtitle(_RUNS),
            **_export(tenth),
            **_workers(clip, folder),
        }


def _ours(name: str, *arguments: object) -> dict[str, Any]:
    return _peers.run([sys.executable, "-m", "benchmarks._ours", name, *arguments])


def _analysis(path: Path, **options: Any) -> Callable[[], dict[str, Any]]:
    return lambda: _ours("whole", path, json.dumps(options))


def _decode(path: Path) -> dict[str, float]:
    """The floor: ffmpeg decodes the file, and nothing else."""
    started = time.perf_counter()
    _media.ffmpeg("-threads", _CORES, "-i", path, "-map", "0:v", "-f", "null", "-")
    return {"seconds": time.perf_counter() - started}


def _whole(path: Path, tenth: Path) -> Figures:
    """A long video at 1 fps against its plain decode, and against a tenth of it."""
    found = _medians(
        {
            "decode": lambda: _decode(path),
            "whole": _analysis(path, fps=1),
            "without_shots": _analysis(path, fps=1, shots="none"),
            "sparse": _analysis(path, **_SPARSE),
            "key_frames": _analysis(path, engine="videokeyframes", fps=1),
            "tenth": _analysis(tenth, fps=1),
        }
    )
    whole, less = found["whole"], found.pop("tenth")
    floor = found["decode"]["seconds"]
    ratios = {f"{name}_of_decode": v["seconds"] / floor for name, v in found.items()}
    return {
        **{f"{name}_s": figures["seconds"] for name, figures in found.items()},
        **{name: ratio for name, ratio in ratios.items() if name != "decode_of_decode"},
        "load_s": whole["load_s"],
        "whole_times_real_time": _SECONDS / whole["seconds"],
        "ten_times_the_video_time": whole["seconds"] / less["seconds"],
        "ten_times_the_video_memory": whole["peak_mb"] / less["peak_mb"],
    }


def _route(clip: Path) -> Figures:
    """5 frames a second: face_recognition's own route on the frames that are looked at here."""
    numbers = ",".join(map(str, _ours("sampled", clip, '{"fps": 5}')["numbers"]))
    found = _medians(
        {
            "ours": _analysis(clip, fps=5),
            **({"fast": _analysis(clip, fps=5, precision="fast")} if _HAS_FAST else {}),
            "face_recognition": lambda: _peers.measure("face_recognition_route", clip, numbers),
        }
    )
    ours, theirs = found["ours"], found["face_recognition"]
    fast = found.get("fast", ours)
    return {
        "fps5_fast_s": fast["seconds"],
        "fps5_fast_times_faster": theirs["seconds"] / fast["seconds"],
        "fps5_fast_times_the_faces": fast["faces"] / theirs["faces"],
        "fps5_s": ours["seconds"],
        "fps5_face_recognition_s": theirs["seconds"],
        "fps5_times_faster": theirs["seconds"] / ours["seconds"],
        "fps5_times_the_faces": ours["faces"] / theirs["faces"],
    }


def _detection(clip: Path) -> Figures:
    """Every frame, detection only: deface's loop with the same network at the same size."""
    width, height = _ours("size", clip)["size"]
    found = _medians(
        {
            "ours": lambda: _ours("detect", clip),
            "deface": lambda: _peers.measure("deface_loop", clip, width, height),
        }
    )
    # imageio repeats frames to fill gaps: a frame is what is compared.
    ours, theirs = (found[name]["seconds"] / found[name]["frames"] for name in ("ours", "deface"))
    return {
        "detection_ms_per_frame": ours * 1000,
        "detection_deface_ms_per_frame": theirs * 1000,
        "detection_times_faster": theirs / ours,
    }


def _export(path: Path) -> Figures:
    """The MP4 with boxes, against ffmpeg's re-encode of the file with the same settings."""

    def encode() -> dict[str, float]:
        with tempfile.TemporaryDirectory() as folder:
            started = time.perf_counter()
            settings = ("-c:v", "libx264", "-crf", 20, "-preset", "veryfast", "-threads", _CORES)
            _media.ffmpeg("-i", path, *settings, Path(folder) / "again.mp4")
            return {"seconds": time.perf_counter() - started}

    found = _medians({"ours": lambda: _ours("export_mp4", path), "ffmpeg": encode})
    ours, theirs = (found[name]["seconds"] for name in ("ours", "ffmpeg"))
    return {"mp4_s": ours, "mp4_ffmpeg_s": theirs, "mp4_of_re_encode": ours / theirs}


def _workers(clip: Path, folder: Path) -> Figures:
    """20 clips by 2 workers, and by 1 worker with the whole machine."""
    found = _medians(
        {
            f"{count}": lambda count=count: _stages.serve(clip, folder, workers=count)  # type: ignore[misc]
            for count in (1, 2)
        }
    )
    one, two = (found[name]["seconds"] for name in ("1", "2"))
    return {"clips_1_worker_s": one, "clips_2_workers_s": two, "clips_2_of_1_worker": two / one}


def _medians(
    routes: Mapping[str, Callable[[], Mapping[str, Any]]],
) -> dict[str, dict[str, float]]:
    """Median of each figure of each route, over alternating runs."""
    found: dict[str, list[Mapping[str, Any]]] = {name: [] for name in routes}
    for _ in range(_RUNS):
        for name, route in routes.items():
            found[name].append(route())
    return {
        name: {key: statistics.median(run[key] for run in runs) for key in runs[0]}
        for name, runs in found.items()
    }
