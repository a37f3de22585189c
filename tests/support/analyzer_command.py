"""Commands of `python -m analyzer`, as processes."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.served import ROOT


def command(module: str, *arguments: object, cwd: Path) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr
