"""Work without a server: a journal says which files win, and remembers what is done.

The child, the files and the order of publishing are those of a worker: what a server answers to
`prepare` and `published` is a line of the journal here.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.inputs import intake
from jobs.ledger.imports import outputs_there
from jobs.outputs import publish
from jobs.standalone.journal import Journal
from jobs.standalone.work import Work
from jobs.types import AWAY_KINDS, HOST_KINDS, Lease, Outcome
from jobs.worker import child, examination
from jobs.worker.graceful_stop import POLL_S, GracefulStop
from jobs.worker.process import Child
from jobs.worker.watchdog import STALL_S, WALL_S, Watchdog

log = logging.getLogger(__name__)
ALONE = {"missing": "input", **HOST_KINDS}
"""Kinds of failures that a server would ask others about -> what they are without one."""


class StandaloneRunner:
    """Does one piece of work after the other; `close` ends its child.

    Args:
        factory: `module:function` that makes the task, called in the child.
        local: Argument of the factory.
        stop: Request to stop.
        stall_s: Work without progress for so long is ended.
        wall_s: Work may take so long, or 20 times the duration of its medium.
    """

    def __init__(
        self,
        factory: str,
        local: Mapping[str, Any],
        *,
        stop: GracefulStop,
        stall_s: float = STALL_S,
        wall_s: float = WALL_S,
    ) -> None:
        self._child = Child(factory, local)
        self._stop = stop
        self._stall_s = stall_s
        self._wall_s = wall_s

    def close(self) -> None:
        """End the child."""
        self._child.kill()

    def run_work(self, work: Work, journal: Journal) -> Outcome | None:
        """See a piece of work through, unless it is done.

        Returns:
            How it ended; None when it was given up, for this process is to stop.
        """
        record = journal.record(work.name)
        if record.done and record.manifest and outputs_there(record.manifest):
            return Outcome(manifest=record.manifest)
        if record.state == "publishing" and record.manifest:
            lease = replace(work.lease(0), kind="publish", manifest=record.manifest)
            outcome = self._publish(work, lease, journal)
            if outcome is None or outcome.manifest:
                return outcome
        return self._run(work, journal)

    def _run(self, work: Work, journal: Journal) -> Outcome | None:
        journal.add(work.name, "began", csv=work.csv)
        lease = work.lease(0)
        # Before folders are made: they would hide that the medium's folder is not there.
        found = examination.examined(lease, Outcome(kind="resource"))
        if found.kind in ("storage", "unreachable"):
            return self._note_failure(work, found, journal)
        token = child.attempt(lambda: _new_token(lease))
        if token.value is None:
            failure = token.failure and examination.examined(lease, token.failure)
            return self._note_failure(work, failure, journal)
        lease = replace(lease, token=token.value)
        outcome = self._attend("run", lease)
        if outcome is None or outcome.manifest is None:
            # A child that was killed could not remove them.
            child.attempt(lambda: publish.discard(lease))
        if outcome is None or outcome.manifest is None:
            return self._note_failure(work, outcome, journal)
        manifest = outcome.manifest
        journal.add(work.name, "publishing", csv=work.csv, manifest=manifest.to_dict())
        outcome = self._publish(work, replace(lease, kind="publish", manifest=manifest), journal)
        # Exports that were not written leave an empty file that holds the token.
        child.attempt(lambda: publish.discard(lease))
        return outcome

    def _publish(self, work: Work, lease: Lease, journal: Journal) -> Outcome | None:
        outcome = self._attend("publish", lease)
        if outcome is None or outcome.manifest is None:
            return self._note_failure(work, outcome, journal)
        journal.add(work.name, "done", csv=work.csv)
        return outcome

    def _note_failure(
        self, work: Work, outcome: Outcome | None, journal: Journal
    ) -> Outcome | None:
        if outcome is None:
            journal.add(work.name, "released", csv=work.csv)
            return None
        outcome = replace(outcome, kind=ALONE.get(outcome.kind, outcome.kind))
        log.warning("%s failed (%s): %s", work.csv, outcome.kind, outcome.error)
        details = {"kind": outcome.kind, "error": outcome.error}
        what = "released" if _is_blameless(work, outcome) else "failed"
        journal.add(work.name, what, csv=work.csv, **details)
        return outcome

    def _attend(self, command: str, lease: Lease) -> Outcome | None:
        """Have the child carry out a command, and look for the fault; None: it was given up."""
        outcome = self._carry_out(command, lease, self._stall_s)
        if outcome is None or not examination.is_open(outcome):
            return outcome
        limit_s = min(examination.LIMIT_S, self._stall_s)
        found = self._carry_out("examine", lease, limit_s)
        return examination.concluded(outcome, found, limit_s)

    def _carry_out(self, command: str, lease: Lease, stall_s: float) -> Outcome | None:
        self._child.send(command, lease)
        watchdog = Watchdog()
        while True:
            news = self._child.poll(POLL_S)
            if isinstance(news, Outcome):
                return news
            if news is not None:
                watchdog.note(news)
            overrun = watchdog.exceeded(stall_s, self._wall_s)
            if self._stop.overdue or overrun:
                self._child.kill()
                return Outcome(kind="resource", error=overrun, is_ended=True) if overrun else None


def _is_blameless(work: Work, outcome: Outcome) -> bool:
    """Return whether a failure is that of this machine, of its storage, or of parts to be joined.

    Parts are made again, which counts for nothing against the film.
    """
    return outcome.kind in ("worker", *AWAY_KINDS) or (
        outcome.kind == "transient" and bool(work.parts)
    )


def _new_token(lease: Lease) -> int:
    """Return a token that no earlier run of the job has had.

    Raises:
        JobFailed: The lease goes beyond its bounds.
    """
    intake.require_bounds(lease)
    return publish.new_token(lease)


def run_alone(work: Work, journal: Path, factory: str, local: Mapping[str, Any]) -> Outcome | None:
    """See one piece of work through in a child of this process.

    Args:
        work: The work.
        journal: Path of its journal.
        factory: `module:function` that makes the task.
        local: Argument of the factory.

    Returns:
        The outcome; None where a signal asked to stop.

    Raises:
        OSError: The journal cannot be written.
    """
    stop = GracefulStop(grace_s=0.0)
    stop.listen()
    runner = StandaloneRunner(factory, local, stop=stop)
    try:
        with Journal(journal) as opened:
            return runner.run_work(work, opened)
    finally:
        runner.close()
