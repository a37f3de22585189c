"""A round: lists of what is left to do, and the jobs of Slurm that do it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from joblist.errors import UsageError
from jobs.ledger.imports import outputs_there
from jobs.slurm import batch
from jobs.slurm.folder import JOIN, SHARD, Folder, Lists, Round
from jobs.standalone import journal
from jobs.standalone.journal import Record
from jobs.standalone.work import Work

MAX_ROUNDS = 3
"""Of one submission: a task that dies as a whole leaves its jobs to the next."""


def require_idle(folder: Folder) -> None:
    """Refuse to work on what is being worked on.

    Raises:
        UsageError: Slurm still has tasks of the last round.
    """
    arrays = folder.round().arrays.values()
    busy = [number for number in arrays if batch.queued(number)]
    if busy:
        raise UsageError(
            f"{folder.path}: still at work: wait for it, or end it with scancel {' '.join(busy)}"
        )


def still_at_work(folder: Folder, *kinds: str) -> bool:
    """Say whether tasks of these kinds have not ended.

    A job that waits for them may start too early: while one of them is put back into the queue,
    Slurm can take it for ended.
    """
    arrays = folder.round().arrays
    return any(batch.queued(arrays[kind]) for kind in kinds if kind in arrays)


def begin(folder: Folder, *, retry: bool, left: int = MAX_ROUNDS, dry: bool = False) -> list[str]:
    """Submit what is left to do.

    Args:
        folder: With its plan and jobs.
        retry: Whether jobs that were given up get another chance.
        left: Rounds that may be begun from now on, this one included.
        dry: Only tell what would be submitted.

    Returns:
        What was done, a line each; nothing when there is nothing to do.
    """
    plan, number = folder.plan(), folder.round().number + 1
    with folder.lists(number, plan.tasks) as lists:
        _fill(lists, folder, retry=retry)
        slots = {kind: lists.slots(kind) for kind in (SHARD, JOIN)}
    if not any(slots.values()):
        return []
    shutil.copyfile(batch.SCRIPT, folder.script)
    folder.log.mkdir(exist_ok=True)
    calls = _Calls(folder, plan.sbatch, number, dry=dry)
    for kind in (SHARD, JOIN):
        if slots[kind]:
            args = batch.command("slurm", "task", str(folder.path), kind, str(number))
            calls.add(kind, args, slots=slots[kind])
    args = batch.command("slurm", "merge", "--folder", str(folder.path))
    calls.add("merge", [*args, "--rounds", str(left - 1)])
    return calls.told


class _Calls:
    """Submits one job after the other; each waits for the end of all before."""

    def __init__(self, folder: Folder, options: Sequence[str], number: int, *, dry: bool) -> None:
        self.told: list[str] = []
        self._numbers: dict[str, str] = {}
        self._folder = folder
        self._options = options
        self._round = number
        self._dry = dry

    def add(self, name: str, args: Sequence[str], *, slots: Sequence[int] = ()) -> None:
        folder = self._folder
        call = batch.call(
            folder.script,
            args,
            name=name,
            log=folder.log,
            options=self._options,
            slots=slots,
            after=list(self._numbers.values()),
        )
        if self._dry:
            self._numbers[name] = f"<{name}>"
            self.told.append(batch.shown(call))
            return
        self._numbers[name] = batch.submit(call)
        # At once: if the next is refused, this one works all the same.
        folder.keep_round(Round(self._round, self._numbers))
        what = f"{name}: {len(slots)} tasks" if slots else name
        self.told.append(f"{what}, job {self._numbers[name]}")


def _fill(lists: Lists, folder: Folder, *, retry: bool) -> None:
    records = journal.read(folder.journals())

    def wanted(work: Work) -> bool:
        record = records.get(work.name, Record())
        return not is_done(record) and (retry or not record.given_up)

    for whole, makers in folder.jobs():
        if not wanted(whole):
            continue
        if not all(wanted(m) or is_done(records.get(m.name, Record())) for m in makers):
            continue
        for maker in makers:
            if wanted(maker):
                lists.add(SHARD, maker)
        lists.add(JOIN if makers else SHARD, whole)


def is_done(record: Record) -> bool:
    """Say whether work is done, and its files are there."""
    return bool(record.done and record.manifest and outputs_there(record.manifest))


def folder_of(joblist: Path) -> Path:
    """Return the folder of a joblist, where no other is given."""
    return joblist.with_suffix(".slurm").absolute()
