"""Where and on what a benchmark ran."""

import importlib.metadata
import os
import platform
import subprocess
from pathlib import Path

_LIBRARIES = ("numpy", "onnxruntime", "onnxruntime-gpu", "dlib-bin", "av", "opencv-python")


def describe() -> dict[str, object]:
    """Machine, commit and versions, as JSON-able values."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version for name in _LIBRARIES if (version := _version(name))},
        "commit": _commit(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str:
    """The commit of this checkout, with a ``+`` where files differ from it."""
    folder = Path(__file__).parent
    command = ["git", "describe", "--always", "--abbrev=12", "--dirty=+"]
    try:
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=True
        ).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
