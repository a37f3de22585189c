"""A joblist that is served and done by real processes, and its tables."""

import csv
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def serve(folder: Path, rows: list[dict[str, object]], *options: str) -> tuple[int, str]:
    """Write a joblist, serve it with one local worker, and return the exit code and all output."""
    joblist = folder / "jobs.csv"
    with joblist.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return serve_file(joblist, *options)


def serve_file(joblist: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, ROOT / "ina_server.py", "localhost", joblist, "--port", "0"]
    command += ["--ledger", joblist.with_suffix(".ledger"), "--workers", "1", *options]
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=280, cwd=joblist.parent
    )
    return done.returncode, done.stdout + done.stderr


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
