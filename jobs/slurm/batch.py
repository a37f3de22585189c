"""Calls of the commands of Slurm: sbatch and squeue."""

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
"""Script that Slurm runs, with a command as its arguments."""


def jobs_command(*args: str) -> list[str]:
    """Return a command of `python -m jobs`, to be run on another node."""
    return [sys.executable, "-m", "jobs", *args]


def sbatch_command(
    script: Path,
    args: Sequence[str],
    *,
    name: str,
    log: Path,
    options: Sequence[str],
    slots: Sequence[int] = (),
    after: Sequence[str] = (),
) -> list[str]:
    """Return the sbatch command that submits a command as one job, or as an array.

    Args:
        script: Script that Slurm runs, with the command as its arguments.
        args: Command.
        name: Name of the job.
        log: Folder of its output.
        options: Options of the user for sbatch.
        slots: Numbers of the tasks of the array; empty for one job.
        after: Jobs that must have ended before, with success or not: with `afterok`, Slurm would
            wait for ever after a failure.
    """
    # Slurm replaces these characters in the name of a log.
    folder = str(log).replace("\\", "\\\\").replace("%", "%%")
    number = "%A_%a" if slots else "%j"
    command = ["sbatch", "--parsable", f"--job-name=ina-{name}", "--requeue", "--open-mode=append"]
    command += [f"--output={folder}/{name}-{number}.out", f"--signal=B:TERM@{SIGNAL_S}"]
    command += [f"--array={ranges(slots)}"] if slots else []
    command += [f"--dependency=afterany:{':'.join(after)}"] if after else []
    return [*command, *options, str(script), *args]


def ranges(slots: Sequence[int]) -> str:
    """Return ascending numbers in the notation of Slurm: `0-3,5`."""
    edges = [i + 1 for i, (a, b) in enumerate(pairwise(slots)) if b != a + 1]
    runs = [slots[a:b] for a, b in pairwise([0, *edges, len(slots)])]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def submit(command: Sequence[str]) -> str:
    """Run an sbatch command; return the number of the job.

    Raises:
        UsageError: Slurm refuses it, or is not installed.
    """
    return _run(command).partition(";")[0].strip()


def unfinished_states(job: str) -> list[str]:
    """Return the states of the tasks of a job that have not ended."""
    if shutil.which("squeue") is None:
        return []
    args = ["squeue", "--noheader", "--array", "--format=%T", f"--jobs={job}"]
    # Slurm forgets a job some minutes after its end; then squeue calls its number invalid.
    done = subprocess.run(args, capture_output=True, text=True, timeout=60)
    return done.stdout.split()


def as_shell_text(command: Sequence[str]) -> str:
    """Return a command as it is typed into a shell."""
    return shlex.join(command)


def _run(command: Sequence[str]) -> str:
    """Run a command; return its output."""
    if shutil.which(command[0]) is None:
        raise UsageError(
            f"{command[0]} is not here: run this on a machine of the cluster that may submit jobs"
        )
    # Tasks import this program from where it is now, installed or not.
    root = str(Path(jobs.__file__).parents[1])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=env)
    if done.returncode:
        message = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UsageError(f"Slurm refuses `{as_shell_text(command)}`: {message[-1]}")
    return done.stdout
