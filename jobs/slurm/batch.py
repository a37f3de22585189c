"""Calls of Slurm's own commands."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import jobs
from joblist.errors import UsageError

SIGNAL_S = 120
"""Seconds before the time limit at which a task is asked to stop."""
SCRIPT = Path(__file__).with_name("task.sh")


def command(*args: str) -> list[str]:
    """Return a command of this program, to be run on another node."""
    return [sys.executable, "-m", "jobs", *args]


def call(
    script: Path,
    args: Sequence[str],
    *,
    name: str,
    log: Path,
    options: Sequence[str],
    slots: Sequence[int] = (),
    after: Sequence[str] = (),
) -> list[str]:
    """Return the sbatch that runs a command as one job, or as an array.

    Args:
        script: What Slurm runs, with the command as its arguments.
        args: The command.
        name: Name of the job.
        log: Folder of its output.
        options: Options of the user, for sbatch.
        slots: Numbers of the array's tasks.
        after: Jobs that must have ended, however that was: after a failure, `afterok` would wait
            for ever.
    """
    # In the name of a log, Slurm has a meaning of its own for these.
    folder = str(log).replace("\\", "\\\\").replace("%", "%%")
    number = "%A_%a" if slots else "%j"
    call = ["sbatch", "--parsable", f"--job-name=ina-{name}", "--requeue", "--open-mode=append"]
    call += [f"--output={folder}/{name}-{number}.out", f"--signal=B:TERM@{SIGNAL_S}"]
    call += [f"--array={ranges(slots)}"] if slots else []
    call += [f"--dependency=afterany:{':'.join(after)}"] if after else []
    return [*call, *options, str(script), *args]


def ranges(slots: Sequence[int]) -> str:
    """Return ascending numbers in Slurm's words: `0-3,5`."""
    edges = [i + 1 for i, (a, b) in enumerate(pairwise(slots)) if b != a + 1]
    runs = [slots[a:b] for a, b in pairwise([0, *edges, len(slots)])]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def submit(call: Sequence[str]) -> str:
    """Submit a job; return its number.

    Raises:
        UsageError: Slurm does not want it, or is not there.
    """
    return _ask(call).partition(";")[0].strip()


def queued(job: str) -> list[str]:
    """Return the states of a job's tasks that have not ended."""
    if shutil.which("squeue") is None:
        return []
    args = ["squeue", "--noheader", "--array", "--format=%T", f"--jobs={job}"]
    # It forgets jobs some minutes after their end, and then calls their number invalid.
    done = subprocess.run(args, capture_output=True, text=True, timeout=60)
    return done.stdout.split()


def shown(call: Sequence[str]) -> str:
    """Return a command as a shell takes it."""
    return shlex.join(call)


def _ask(call: Sequence[str]) -> str:
    if shutil.which(call[0]) is None:
        raise UsageError(
            f"{call[0]} is not here: run this on a machine of the cluster that may submit jobs"
        )
    # Tasks find this program where it is now, installed or not.
    root = str(Path(jobs.__file__).parents[1])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
    done = subprocess.run(call, capture_output=True, text=True, timeout=300, env=env)
    if done.returncode:
        message = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UsageError(f"Slurm refuses `{shown(call)}`: {message[-1]}")
    return done.stdout
