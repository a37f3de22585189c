"""Folders of Slurm plans, and tasks without Slurm."""

import os
import subprocess
from pathlib import Path

import analyzer
from joblist.shard import Shard
from jobs.slurm import batch, rounds
from jobs.slurm.folder import Folder, Plan, Round
from jobs.standalone.work import Work
from tests.support.processes import ROOT
from tests.support.servers import write_media

TASKS = 3


def plan(**changes: object) -> Plan:
    values = {
        "joblist": "jobs.csv",
        "factory": "tests.support.tasks:make_task",
        "program": analyzer.__version__,
        "options": {},
        "digest": "opts",
        "tasks": TASKS,
        "threads": 1,
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]


def fill(path: Path, media: dict[str, str], **changes: object) -> Folder:
    """A folder with a round and its list of jobs."""
    folder, planned = Folder(path / "jobs.slurm"), plan(**changes)
    specs = write_media(path, media)
    cut = [Shard(number, 2) for number in range(2)]
    works = [
        Work(spec=spec, options=planned.options, digest=planned.digest, bounds=planned.bounds)
        for spec in specs
    ]
    folder.write_plan(
        planned, ((w, cut if Path(w.csv).name.startswith("cut") else []) for w in works)
    )
    return folder


def begin(folder: Folder, *, retry: bool = False) -> list[str]:
    """List what is left; nothing is submitted."""
    submissions = rounds.submit_round(folder, retry=retry, dry_run=True)
    if submissions:
        folder.write_round(Round(folder.round().number + 1))
    return submissions


def task(folder: Folder, kind: str, slot: int) -> int:
    """Run a task as Slurm does, as a process."""
    command = batch.jobs_command(
        "slurm", "task", str(folder.path), kind, str(folder.round().number)
    )
    env = {**os.environ, "SLURM_ARRAY_TASK_ID": str(slot), "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=env, timeout=110).returncode
