"""Rounds of a submission: lists of the work that is left, and the Slurm jobs that do it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from joblist.errors import UsageError
from jobs.ledger.imports import outputs_there
from jobs.slurm import batch
from jobs.slurm.folder import JOIN, SHARD, Folder, Round, TaskLists
from jobs.standalone import journal
from jobs.standalone.journal import Record
from jobs.standalone.work import Work

MAX_ROUNDS = 3
"""Rounds of one submission: the jobs of a task that was killed are left to the next round."""


def require_idle(folder: Folder) -> None:
    """Refuse a folder with tasks at work.

    Raises:
        UsageError: Slurm has tasks of the last round that have not ended.
    """
    arrays = folder.round().arrays.values()
    busy = [number for number in arrays if batch.unfinished_states(number)]
    if busy:
        raise UsageError(
            f"{folder.path}: still at work: wait for it, or end it with scancel {' '.join(busy)}"
        )


def still_at_work(folder: Folder, *kinds: str) -> bool:
    """Return whether tasks of these kinds of the last round have not ended.

    A Slurm job that waits for them may start too early: while a task is put back into the queue,
    Slurm may count it as ended.
    """
    arrays = folder.round().arrays
    return any(batch.unfinished_states(arrays[kind]) for kind in kinds if kind in arrays)


def submit_round(
    folder: Folder, *, retry: bool, rounds_left: int = MAX_ROUNDS, dry_run: bool = False
) -> list[str]:
    """Submit the work that is left.

    Args:
        folder: Folder with a plan and its jobs.
        retry: Whether jobs that were given up are tried again.
        rounds_left: Greatest number of rounds from now on, including this one.
        dry_run: Whether to return the commands without running them.

    Returns:
        A line for each submitted job; empty if no work is left.
    """
    plan, number = folder.plan(), folder.round().number + 1
    with folder.open_lists(number, plan.tasks) as lists:
        _list_work(lists, folder, retry=retry)
        slots = {kind: lists.slots(kind) for kind in (SHARD, JOIN)}
    if not any(slots.values()):
        return []
    shutil.copyfile(batch.SCRIPT, folder.script)
    folder.log.mkdir(exist_ok=True)
    submitter = _Submitter(folder, plan.sbatch, number, dry_run=dry_run)
    for kind in (SHARD, JOIN):
        if slots[kind]:
            args = batch.jobs_command("slurm", "task", str(folder.path), kind, str(number))
            submitter.add(kind, args, slots=slots[kind])
    args = batch.jobs_command("slurm", "merge", "--folder", str(folder.path))
    submitter.add("merge", [*args, "--rounds", str(rounds_left - 1)])
    return submitter.lines


class _Submitter:
    """The Slurm jobs of a round; each waits for the end of all earlier ones."""

    def __init__(
        self, folder: Folder, options: Sequence[str], number: int, *, dry_run: bool
    ) -> None:
        self.lines: list[str] = []
        """A line for the user for each job."""
        self._numbers: dict[str, str] = {}
        """Job numbers of Slurm, by kind of task."""
        self._folder = folder
        self._options = options
        self._round = number
        self._dry_run = dry_run

    def add(self, name: str, args: Sequence[str], *, slots: Sequence[int] = ()) -> None:
        """Submit a command as a job, or as an array with a task for each slot."""
        folder = self._folder
        command = batch.sbatch_command(
            folder.script,
            args,
            name=name,
            log=folder.log,
            options=self._options,
            slots=slots,
            after=list(self._numbers.values()),
        )
        if self._dry_run:
            self._numbers[name] = f"<{name}>"
            self.lines.append(batch.as_shell_text(command))
            return
        self._numbers[name] = batch.submit(command)
        # Written at once: this job runs even if Slurm refuses the next one.
        folder.write_round(Round(self._round, self._numbers))
        title = f"{name}: {len(slots)} tasks" if slots else name
        self.lines.append(f"{title}, job {self._numbers[name]}")


def _list_work(lists: TaskLists, folder: Folder, *, retry: bool) -> None:
    """Add the work that is left to the lists of a round."""
    records = journal.read(folder.journals())

    def is_open(work: Work) -> bool:
        record = records.get(work.name, Record())
        return not is_done(record) and (retry or not record.given_up)

    for whole, parts in folder.jobs():
        if not is_open(whole):
            continue
        # A part that was given up cannot be joined with the others.
        if not all(is_open(part) or is_done(records.get(part.name, Record())) for part in parts):
            continue
        for part in parts:
            if is_open(part):
                lists.add(SHARD, part)
        lists.add(JOIN if parts else SHARD, whole)


def is_done(record: Record) -> bool:
    """Return whether work is done, and its files exist."""
    return bool(record.done and record.manifest and outputs_there(record.manifest))


def default_folder(joblist: Path) -> Path:
    """Return the default folder of a joblist."""
    return joblist.with_suffix(".slurm").absolute()
