"""Find outputs that were altered or lost, and queue their jobs again."""

from __future__ import annotations

import argparse
import sqlite3
from collections import Counter
from typing import Any

from jobs.commands._arguments import add_command
from jobs.commands._portions import WaitingProgress, reasons
from jobs.commands._target import Target, add_ledger
from jobs.ledger import operations, queries
from jobs.ledger.ledger import UNLISTED
from jobs.types import Job, State

COMPLETED = (State.DONE, State.SKIPPED)

EPILOG = """\
example:
  python -m jobs verify jobs.csv --dry_run

exit code: 0 every output is as it was published, 1 some are not, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command."""
    text = "compare every output with the ledger; run altered or missing ones again"
    parser = add_command(commands, "verify", text, epilog=EPILOG)
    add_ledger(parser)
    text = "only report, and run no job again"
    parser.add_argument("--dry_run", "--dry-run", action="store_true", help=text)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Report outputs that are wrong, and queue their jobs again; return the exit code."""
    target = Target(args)
    with target.reading() as db:
        check = _Check(target, db, is_dry=args.dry_run)
        counts = queries.counts(db)
        progress = WaitingProgress("checked", sum(counts.get(state, 0) for state in COMPLETED))
        try:
            for job, fault, where in operations.faults(db):
                check.note(job, fault, where)
                progress.advance(1)
        finally:
            # What was found before Ctrl-C is done again, too.
            check.redo()
    return check.report()


class _Check:
    """What was found, and what came of it.

    Args:
        target: The ledger.
        db: Connection to it, for queries.
        is_dry: Whether to run no job again.
    """

    def __init__(self, target: Target, db: sqlite3.Connection, *, is_dry: bool) -> None:
        self._target, self._db, self._is_dry = target, db, is_dry
        self._checked = self._bad = self._unreadable = self._redone = 0
        self._found: list[tuple[int, int, str]] = []
        self._left: Counter[str] = Counter()

    def note(self, job: Job, fault: str, where: str) -> None:
        """Print what is wrong with the outputs of a job; run it again if that is known."""
        self._checked += 1
        if fault:
            print(f"{fault}: {where} (job {job.id}, {job.spec.source_path})")
        if fault == "unreadable":
            self._unreadable += 1
        elif fault:
            self._bad += 1
            self._found.append((job.id, job.token, fault))
        if len(self._found) >= operations.PORTION:
            self.redo()

    def redo(self) -> None:
        """Run the jobs again that were found since the last call."""
        found, self._found = self._found, []
        if self._is_dry or not found:
            return
        # Not for longer: no server could start meanwhile.
        with self._target.changing() as change:
            redone = change("redo", found)
        self._redone += len(redone)
        left = {job for job, _, _ in found}.difference(redone)
        self._left.update(operations.reasons(self._db, left))

    def report(self) -> int:
        """Print the figures; return the exit code."""
        print(f"{self._checked} jobs checked, {self._bad} with outputs that are altered or missing")
        if self._unreadable:
            print(f"{self._unreadable} have outputs that cannot be read, and are left as they are")
        if self._bad and not self._is_dry:
            then = "the server does them" if self._target.is_served else "run the server to do them"
            print(f"{self._redone} jobs are to be done again: {then}")
        unlisted = self._left.pop(UNLISTED, 0)
        if unlisted:
            print(f"{unlisted} are no longer in the joblist: they are done again when they are")
        if self._left:
            print(f"{self._left.total()} have changed meanwhile: {reasons(self._left)}")
        return 1 if self._bad or self._unreadable else 0
