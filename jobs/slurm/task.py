"""One task of the array: it works through its list, with a journal of its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from joblist.errors import UsageError
from jobs.retry import backoff
from jobs.slurm.batch import SIGNAL_S
from jobs.slurm.folder import SHARD, Folder
from jobs.slurm.rounds import still_at_work
from jobs.standalone.journal import Journal
from jobs.standalone.runner import StandaloneRunner
from jobs.standalone.work import Work
from jobs.worker.graceful_stop import GracefulStop

log = logging.getLogger(__name__)
GRACE_S = SIGNAL_S - 30.0
RETRY_S = 10.0
DONE, INCOMPLETE, AGAIN = 0, 1, 75


def run(
    folder: Folder, kind: str, number: int, slot: int, *, private: Mapping[str, Any] | None = None
) -> int:
    """Do the list of a task.

    Args:
        folder: Folder of the joblist.
        kind: Kind of the task.
        number: Number of the round.
        slot: Which task of the array.
        private: What else its work needs, as in a lease.

    Raises:
        UsageError: No job can be done on this machine.

    Returns:
        0: everything has an end. 75: asked to stop, or too early, with work left that another turn
        may do. 1: a turn more is no help, for this one has not brought anything to its end.
    """
    plan = folder.plan()
    drain = GracefulStop(GRACE_S)
    drain.listen()
    listed = [replace(w, private=private or {}) for w in folder.listed(number, kind, slot)]
    solo = StandaloneRunner(plan.factory, {"threads": plan.threads}, drain=drain)
    try:
        with Journal(folder.journal(number, kind, slot)) as journal:
            turn = _Turn(solo, journal, drain)
            if kind == SHARD:
                return turn.go(listed)
            code = turn.join(listed)
            early = code == INCOMPLETE and still_at_work(folder, SHARD)
            return AGAIN if early else code
    finally:
        solo.close()


class _Turn:
    def __init__(self, solo: StandaloneRunner, journal: Journal, drain: GracefulStop) -> None:
        self._solo = solo
        self._journal = journal
        self._drain = drain

    def go(self, listed: Sequence[Work]) -> int:
        """Do all work, and again what has failed for a while."""
        left = before = self._open(listed)
        turns = 0
        while left and not self._drain.requested:
            for work in left:
                if not self._drain.requested:
                    outcome = self._solo.run_work(work, self._journal)
                    if outcome and outcome.kind == "worker":
                        raise UsageError(outcome.error)
            left, turns = self._open(left), turns + 1
            if left:
                self._drain.wait(backoff(turns, base_s=RETRY_S))
        if not left:
            return DONE
        return AGAIN if len(left) < len(before) else INCOMPLETE

    def _open(self, listed: Sequence[Work]) -> list[Work]:
        """Return the work that has no end yet."""
        records = ((work, self._journal.record(work.name)) for work in listed)
        return [work for work, record in records if not (record.done or record.given_up)]

    def join(self, listed: Sequence[Work]) -> int:
        """Join the films with all of their parts; the others are left to another round."""
        whole = [work for work in listed if self._journal.record(work.name).done or _is_whole(work)]
        code = self.go(whole)
        for work in whole:
            record = self._journal.record(work.name)
            if record.done or record.kind == "transient":
                # No longer used; or damaged, and to be made anew.
                for part in work.parts:
                    Path(part).unlink(missing_ok=True)
        return code if len(whole) == len(listed) else max(code, INCOMPLETE)


def _is_whole(work: Work) -> bool:
    missing = [n for n, part in enumerate(work.parts, start=1) if not Path(part).is_file()]
    if missing:
        numbers = ", ".join(map(str, missing))
        log.warning(
            "%s: not put together, parts are missing: %s of %d", work.csv, numbers, len(work.parts)
        )
    return not missing
