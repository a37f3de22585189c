"""The folder that an array and its commands share: the only place that knows its file names."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from joblist.errors import UsageError
from joblist.model import JobSpec
from joblist.shard import Shard
from jobs.standalone.work import Work
from jobs.types import Bounds

SHARD, JOIN = "shard", "join"
"""Kinds of tasks: those that do jobs and parts of films, and those that put films together."""
ACCEPTED = "accepted"


@dataclass(frozen=True)
class Plan:
    """How the jobs of a joblist are to be done."""

    joblist: str
    factory: str
    """`module:function` that makes the task."""
    program: str
    """Version of the program; tasks must have the same."""
    options: Mapping[str, Any]
    digest: str
    """Of the options that change results."""
    tasks: int
    """Tasks of the array."""
    threads: int
    """Of a task."""
    sbatch: tuple[str, ...] = ()
    """What every sbatch is told."""
    bounds: Bounds = field(default_factory=Bounds)
    models: Mapping[str, str] = field(default_factory=dict)
    """Hashes of the models by name; tasks must have the same."""
    identities: Mapping[str, Any] = field(default_factory=dict)
    """Where people are remembered across jobs; see `jobs.analysis`."""

    @property
    def template(self) -> Work:
        """What all work has in common."""
        nothing = JobSpec(source_path="", dests={"csv": ""})
        return Work(spec=nothing, options=self.options, digest=self.digest, bounds=self.bounds)


@dataclass(frozen=True)
class Round:
    """What was last submitted."""

    number: int
    arrays: Mapping[str, str] = field(default_factory=dict)
    """Slurm's job numbers, by kind."""


class Folder:
    """A folder on storage that all nodes see."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def merged(self) -> Path:
        """The table of what became of each job."""
        return self.path / "merged.jsonl"

    @property
    def script(self) -> Path:
        """What Slurm runs."""
        return self.path / "task.sh"

    @property
    def log(self) -> Path:
        """Folder of what tasks print."""
        return self.path / "log"

    def plan(self) -> Plan:
        """Read the plan.

        Raises:
            UsageError: There is none.
        """
        try:
            plain = json.loads((self.path / "plan.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise UsageError(
                f"{self.path}: nothing was submitted here: give the joblist of `slurm submit`, or "
                "its --folder"
            ) from error
        bounds, sbatch = Bounds(**plain.pop("bounds")), tuple(plain.pop("sbatch"))
        return Plan(**plain, bounds=bounds, sbatch=sbatch)

    def keep(self, plan: Plan, jobs: Iterable[tuple[Work, list[Shard]]]) -> None:
        """Write the plan and its jobs, with the shards of those that are cut.

        Nothing is changed when an error comes out of the jobs.
        """
        lines = ({**work.to_dict(), "cut": [asdict(s) for s in cut]} for work, cut in jobs)
        write_lines(self.path / "jobs.jsonl", lines)
        _replace(self.path / "plan.json", json.dumps(asdict(plan), indent=1))

    def jobs(self) -> Iterator[tuple[Work, list[Work]]]:
        """Yield every job, and the makers of its parts if it is cut."""
        template = self.plan().template
        for plain in _read_lines(self.path / "jobs.jsonl"):
            whole = template.like(plain)
            cut = [Shard(**shard) for shard in plain["cut"]]
            yield whole.divided(cut) if cut else (whole, [])

    def round(self) -> Round:
        """Return the last round; number 0 before the first."""
        path = self.path / "round.json"
        return Round(**json.loads(path.read_text())) if path.exists() else Round(0)

    def keep_round(self, current: Round) -> None:
        """Remember what was submitted."""
        _replace(self.path / "round.json", json.dumps(asdict(current)))

    @contextmanager
    def lists(self, number: int, tasks: int) -> Iterator[Lists]:
        """Open the lists of a round for writing."""
        folder = self.path / "lists" / f"{number:04}"
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.iterdir():
            path.unlink()
        lists = Lists(folder, tasks)
        try:
            yield lists
        finally:
            lists.close()

    def listed(self, number: int, kind: str, slot: int) -> list[Work]:
        """Return what a task has to do."""
        template = self.plan().template
        path = self.path / "lists" / f"{number:04}" / f"{kind}-{slot:04}.jsonl"
        return [template.like(plain) for plain in _read_lines(path)] if path.exists() else []

    def journal(self, number: int, kind: str, slot: int) -> Path:
        """Return the journal of a task."""
        return self.path / "journals" / f"{number:04}-{kind}-{slot:04}.jsonl"

    def accepted(self) -> Path:
        """Return the journal of what was accepted after the last round."""
        return self.journal(self.round().number, ACCEPTED, 0)

    def journals(self) -> list[Path]:
        """Return all journals, those of earlier rounds first; what was accepted ends its round."""

        def when(path: Path) -> tuple[str, bool, str]:
            number, kind, _ = path.stem.split("-")
            return number, kind == ACCEPTED, path.name

        return sorted((self.path / "journals").glob("*-*-*.jsonl"), key=when)


class Lists:
    """The lists of a round, one a task."""

    def __init__(self, folder: Path, tasks: int) -> None:
        self._folder = folder
        self._tasks = tasks
        self._files: dict[tuple[str, int], Any] = {}

    def add(self, kind: str, work: Work) -> None:
        """Give work to the task that its destination picks."""
        slot = work.slot(self._tasks)
        if (kind, slot) not in self._files:
            path = self._folder / f"{kind}-{slot:04}.jsonl"
            self._files[kind, slot] = path.open("w", encoding="utf-8")
        self._files[kind, slot].write(json.dumps(work.to_dict()) + "\n")

    def slots(self, kind: str) -> list[int]:
        """Return the tasks of a kind that have something to do."""
        return sorted(slot for file_kind, slot in self._files if file_kind == kind)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSON object a line; the file is replaced when the last is there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.new")
    with scratch.open("w", encoding="utf-8") as file:
        for line in lines:
            file.write(json.dumps(line) + "\n")
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)


def _replace(path: Path, text: str) -> None:
    scratch = path.with_name(f"{path.name}.new")
    scratch.write_text(text, encoding="utf-8")
    scratch.replace(path)


def _read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)
