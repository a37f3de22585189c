"""The programs as processes."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.servers import ROOT

PORT = "0"


def command(*args: str, cwd: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(cwd / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def server(cwd: Path, *args: str) -> "subprocess.Popen[str]":
    return command(
        str(ROOT / "ina_server.py"), "localhost", "jobs.csv", "--port", PORT, *args, cwd=cwd
    )


def run(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    try:
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, errors
