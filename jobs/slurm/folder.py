"""The folder that the tasks and commands of a submission share: no other module knows its files."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ina_input import documents, regular
from joblist.errors import UsageError
from joblist.model import JobSpec
from joblist.shard import Shard
from jobs.standalone.work import Work
from jobs.types import Bounds

SHARD, JOIN = "shard", "join"
"""Kinds of tasks: those that do jobs and parts of films, and those that join the parts."""
ACCEPTED = "accepted"
"""Kind of the journal of outputs that were changed on purpose."""


@dataclass(frozen=True)
class Plan:
    """How the jobs of a joblist are done; the fields of `plan.json`."""

    joblist: str
    """Path of the joblist."""
    factory: str
    """`module:function` that makes the task."""
    program: str
    """Version of the program; tasks must have the same."""
    options: Mapping[str, Any]
    """Analysis options."""
    digest: str
    """Digest of the options that change results."""
    tasks: int
    """Number of tasks of the array."""
    threads: int
    """Number of threads of a task."""
    sbatch: tuple[str, ...] = ()
    """Options of every sbatch command."""
    bounds: Bounds = field(default_factory=Bounds)
    """Limits on what jobs may read and write."""
    models: Mapping[str, str] = field(default_factory=dict)
    """Hashes of the models by name; tasks must have the same."""
    identities: Mapping[str, Any] = field(default_factory=dict)
    """Store in which persons are remembered across jobs; see `jobs.analysis`."""

    @property
    def template(self) -> Work:
        """Work without a job: what the work of all jobs has in common."""
        no_job = JobSpec(source_path="", dests={"csv": ""})
        return Work(spec=no_job, options=self.options, digest=self.digest, bounds=self.bounds)


@dataclass(frozen=True)
class Round:
    """The last submission to Slurm; the fields of `round.json`."""

    number: int
    """Number of the round, from 1; 0 before the first."""
    arrays: Mapping[str, str] = field(default_factory=dict)
    """Job numbers of Slurm, by kind of task."""


class Folder:
    """The folder of a submission, on storage that all nodes can read.

    Args:
        path: Path of the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def merged(self) -> Path:
        """Table of the results of all jobs."""
        return self.path / "merged.jsonl"

    @property
    def script(self) -> Path:
        """Script that Slurm runs."""
        return self.path / "task.sh"

    @property
    def log(self) -> Path:
        """Folder of the output of tasks."""
        return self.path / "log"

    def plan(self) -> Plan:
        """Read the plan.

        Raises:
            UsageError: There is no plan.
        """
        try:
            plain = documents.read(self.path / "plan.json")
        except FileNotFoundError as error:
            raise UsageError(
                f"{self.path}: nothing was submitted here: give the joblist of `slurm submit`, or "
                "its --folder"
            ) from error
        except (OSError, ValueError) as error:
            raise UsageError(f"{self.path}: its plan cannot be read ({error})") from error
        bounds, sbatch = Bounds(**plain.pop("bounds")), tuple(plain.pop("sbatch"))
        return Plan(**plain, bounds=bounds, sbatch=sbatch)

    def write_plan(self, plan: Plan, jobs: Iterable[tuple[Work, list[Shard]]]) -> None:
        """Write the plan and its jobs; if an error comes out of the jobs, no file is changed.

        Args:
            plan: Plan of the submission.
            jobs: Work of each job, with its shards; no shards for a job that is not cut.
        """
        lines = (
            {**work.to_dict(), "cut": [asdict(shard) for shard in shards]} for work, shards in jobs
        )
        write_lines(self.path / "jobs.jsonl", lines)
        _write_text(self.path / "plan.json", json.dumps(asdict(plan), indent=1))

    def jobs(self) -> Iterator[tuple[Work, list[Work]]]:
        """Yield the work of every job, and the work for each of its parts if it is cut."""
        template = self.plan().template
        for plain in _read_lines(self.path / "jobs.jsonl"):
            whole = template.like(plain)
            shards = [Shard(**shard) for shard in plain["cut"]]
            yield whole.divided(shards) if shards else (whole, [])

    def round(self) -> Round:
        """Return the last round; number 0 before the first."""
        path = self.path / "round.json"
        return Round(**documents.read(path)) if path.exists() else Round(0)

    def write_round(self, current: Round) -> None:
        """Write which jobs of Slurm were submitted."""
        _write_text(self.path / "round.json", json.dumps(asdict(current)))

    @contextmanager
    def open_lists(self, number: int, tasks: int) -> Iterator[TaskLists]:
        """Open the lists of a round for writing; older lists of this round are removed.

        Args:
            number: Number of the round.
            tasks: Number of tasks.
        """
        folder = self.path / "lists" / f"{number:04}"
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        lists = TaskLists(folder, tasks)
        try:
            yield lists
        finally:
            lists.close()

    def work_of_task(self, number: int, kind: str, slot: int) -> list[Work]:
        """Return the work of a task.

        Args:
            number: Number of the round.
            kind: Kind of the task.
            slot: Number of the task in its array, from 0.
        """
        template = self.plan().template
        path = self.path / "lists" / f"{number:04}" / f"{kind}-{slot:04}.jsonl"
        return [template.like(plain) for plain in _read_lines(path)] if path.exists() else []

    def journal(self, number: int, kind: str, slot: int) -> Path:
        """Return the path of the journal of a task; see `work_of_task`."""
        return self.path / "journals" / f"{number:04}-{kind}-{slot:04}.jsonl"

    def accepted(self) -> Path:
        """Return the path of the journal of outputs that were accepted after the last round."""
        return self.journal(self.round().number, ACCEPTED, 0)

    def journals(self) -> list[Path]:
        """Return all journals, by rounds; that of accepted outputs is the last of its round."""

        def order(path: Path) -> tuple[str, bool, str]:
            number, kind, _ = path.stem.split("-")
            return number, kind == ACCEPTED, path.name

        return sorted((self.path / "journals").glob("*-*-*.jsonl"), key=order)


class TaskLists:
    """The lists of a round, one for each task.

    Args:
        folder: Folder of the lists.
        tasks: Number of tasks.
    """

    def __init__(self, folder: Path, tasks: int) -> None:
        self._folder = folder
        self._tasks = tasks
        self._files: dict[tuple[str, int], Any] = {}

    def add(self, kind: str, work: Work) -> None:
        """Add work to the list of a task, which its destination picks."""
        slot = work.slot(self._tasks)
        if (kind, slot) not in self._files:
            path = self._folder / f"{kind}-{slot:04}.jsonl"
            self._files[kind, slot] = path.open("w", encoding="utf-8")
        self._files[kind, slot].write(json.dumps(work.to_dict()) + "\n")

    def slots(self, kind: str) -> list[int]:
        """Return the numbers of the tasks of a kind that have work."""
        return sorted(slot for file_kind, slot in self._files if file_kind == kind)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object per line; the file is replaced after the last line is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.new")
    with scratch.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def _write_text(path: Path, text: str) -> None:
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with regular.open_text(path) as file:
        yield from map(documents.parse, file)
