"""The programs as processes: where they stand, and how tests start them, wait and end them."""

import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from jobs.ledger import schema

ROOT = Path(__file__).parents[2]
"""The checkout."""


def command(*args: str, cwd: Path) -> "subprocess.Popen[str]":
    """Start Python with these arguments."""
    return subprocess.Popen(
        [sys.executable, *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(cwd / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def server(cwd: Path, *args: str) -> "subprocess.Popen[str]":
    """Start a server of jobs.csv, on a free port."""
    return command(
        str(ROOT / "ina_server.py"), "localhost", "jobs.csv", "--port", "0", *args, cwd=cwd
    )


def run(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Wait for a process; return its exit code, output and errors."""
    try:
        out, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, out, errors


def run_module(module: str, *arguments: object, cwd: Path) -> tuple[int, str]:
    """Run `python -m MODULE`; return its exit code and all that it writes."""
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def free_port() -> int:
    """Return a port on loopback that no program has.

    It is below those that Linux gives to a program that asks for any: tests beside this one
    would be given it before it is used.
    """
    while True:
        port = 10_000 + secrets.randbelow(20_000)
        with suppress(OSError), socket.create_server(("localhost", port)):
            return port


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def kill(process: "subprocess.Popen[str]") -> None:
    """End a process as a power failure would: without a chance to say goodbye."""
    with suppress(ProcessLookupError):
        process.kill()
    process.wait()


def until(condition: Callable[[], object], *, within_s: float = 60.0) -> None:
    """Wait for something to become true; the time is for a machine that has other work, too."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


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
