"""One task of the array: it does the work of its list, and writes a journal of its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from joblist.errors import UsageError
from jobs.outputs.digests import file_sha256
from jobs.retry import backoff
from jobs.slurm.batch import SIGNAL_S
from jobs.slurm.folder import SHARD, Folder
from jobs.slurm.rounds import still_at_work
from jobs.standalone import journal as journals
from jobs.standalone.journal import Journal, Record
from jobs.standalone.runner import StandaloneRunner
from jobs.standalone.work import Work
from jobs.types import Outcome
from jobs.worker.graceful_stop import GracefulStop

log = logging.getLogger(__name__)
GRACE_S = SIGNAL_S - 30.0
"""Time that the current job has after the signal of Slurm, in seconds."""
RETRY_S = 10.0
"""Pause before the first repetition of failed work, in seconds."""
MAX_PASSES = 3
"""Tries in a turn of work that is not to blame: its storage is away, or its parts are damaged."""
MAX_REMAKES = 2
"""Times that damaged parts are made again before the film is left to another pass."""
DONE, INCOMPLETE, TRY_AGAIN = 0, 1, 75
"""Exit codes; `task.sh` asks Slurm for another turn after the last one."""


def run(
    folder: Folder, kind: str, number: int, slot: int, *, private: Mapping[str, Any] | None = None
) -> int:
    """Do the work of a task.

    Args:
        folder: Folder of the submission.
        kind: Kind of the task.
        number: Number of the round.
        slot: Number of the task in its array, from 0.
        private: Other values that its work needs, as in a lease.

    Returns:
        0 if all work has ended; 75 if the task was asked to stop or started too early, so that
        another turn may do the rest; 1 if this turn has not ended any work, so that another turn
        would not help.

    Raises:
        UsageError: No job can be done on this machine.
    """
    plan = folder.plan()
    stop = GracefulStop(GRACE_S)
    stop.listen()
    works = [replace(w, private=private or {}) for w in folder.work_of_task(number, kind, slot)]
    runner = StandaloneRunner(plan.factory, {"threads": plan.threads}, stop=stop)
    try:
        with Journal(folder.journal(number, kind, slot)) as journal:
            task_run = _TaskRun(runner, journal, stop, folder)
            if kind == SHARD:
                return task_run.run(works)
            code = task_run.join(works)
            too_early = code == INCOMPLETE and still_at_work(folder, SHARD)
            return TRY_AGAIN if too_early else code
    finally:
        runner.close()


class _TaskRun:
    """One turn of a task."""

    def __init__(
        self, runner: StandaloneRunner, journal: Journal, stop: GracefulStop, folder: Folder
    ) -> None:
        self._runner = runner
        self._journal = journal
        self._stop = stop
        self._folder = folder

    def run(self, works: Sequence[Work]) -> int:
        """Do all work, and repeat work that failed but may succeed later; return the exit code."""
        left = before = self._unfinished(works)
        passes = 0
        while left and not self._stop.requested:
            for work in left:
                if not self._stop.requested:
                    self._do(work)
            left, passes = self._unfinished(left), passes + 1
            if passes >= MAX_PASSES:
                left = [work for work in left if not self._is_blameless(work)]
            if left:
                self._stop.wait(backoff(passes, base_s=RETRY_S))
        left = self._unfinished(works)
        if not left:
            return DONE
        return TRY_AGAIN if len(left) < len(before) else INCOMPLETE

    def _do(self, work: Work) -> None:
        """Do a piece of work; parts of a film that are damaged are made again at once.

        Raises:
            UsageError: No job can be done on this machine.
        """
        for _ in range(1 + MAX_REMAKES):
            outcome = self._runner.run_work(work, self._journal)
            if outcome and outcome.kind == "worker":
                raise UsageError(outcome.error)
            if not _has_damaged_parts(work, outcome) or self._stop.requested:
                return
            self._remake_parts(work)

    def _is_blameless(self, work: Work) -> bool:
        return self._journal.record(work.name).state == "released"

    def _remake_parts(self, work: Work) -> None:
        """Make the parts of a film again that are not as their makers left them."""
        jobs = self._folder.jobs()
        makers = next(makers for whole, makers in jobs if whole.name == work.name)
        records = journals.read(self._folder.journals())
        damaged = [maker for maker in makers if _is_damaged(maker, records.get(maker.name))]
        # If all are as they were, they were made by another version, and none is good.
        for maker in damaged or makers:
            log.warning("%s: made again", maker.csv)
            Path(maker.csv).unlink(missing_ok=True)
            self._runner.run_work(replace(maker, private=work.private), self._journal)

    def _unfinished(self, works: Sequence[Work]) -> list[Work]:
        """Return the work that is neither done nor given up."""
        records = ((work, self._journal.record(work.name)) for work in works)
        return [work for work, record in records if not (record.done or record.given_up)]

    def join(self, works: Sequence[Work]) -> int:
        """Join the films that have all of their parts; the others are left to another round."""
        complete = [w for w in works if self._journal.record(w.name).done or _has_all_parts(w)]
        code = self.run(complete)
        for work in complete:
            if self._journal.record(work.name).done:
                for part in work.parts:
                    Path(part).unlink(missing_ok=True)
        return code if len(complete) == len(works) else max(code, INCOMPLETE)


def _has_damaged_parts(work: Work, outcome: Outcome | None) -> bool:
    return bool(work.parts) and outcome is not None and outcome.kind == "transient"


def _is_damaged(maker: Work, record: Record | None) -> bool:
    """Return whether a part is not as its journal says."""
    path = Path(maker.csv)
    if record is None or record.manifest is None or not path.is_file():
        return True
    return file_sha256(path) != record.manifest.files["csv"].sha256


def _has_all_parts(work: Work) -> bool:
    """Return whether all parts of a film exist; log the missing ones."""
    missing = [n for n, part in enumerate(work.parts, start=1) if not Path(part).is_file()]
    if missing:
        numbers = ", ".join(map(str, missing))
        log.warning(
            "%s: not put together, parts are missing: %s of %d", work.csv, numbers, len(work.parts)
        )
    return not missing
