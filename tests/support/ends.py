"""Programs in a shell, and the ledger of the state folder beside a joblist."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from jobs.ledger import schema
from tests.support.processes import ROOT


def shell(script: str, cwd: Path, **env: str) -> "subprocess.Popen[str]":
    """Run a script of bash in which `$S` starts a server that does the list, `$P` Python."""
    values = {
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(cwd / "state"),
        "P": sys.executable,
        "S": f"{sys.executable} {ROOT / 'ina_server.py'} localhost jobs.csv --port 0 --workers 1",
    }
    return subprocess.Popen(
        ["bash", "-c", script],
        cwd=cwd,
        env={**os.environ, **values, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
    )


def ledger_of(folder: Path) -> Path:
    (path,) = (folder / "state").rglob("*.ledger")
    return path


def counts(folder: Path) -> dict[str, int]:
    try:
        with closing(schema.connect(ledger_of(folder), readonly=True)) as db:
            return dict(db.execute("SELECT state, n FROM counter WHERE n > 0"))
    except sqlite3.OperationalError:
        return {}
