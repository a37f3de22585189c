"""The ledger of a command, and changes to it with or without a running server."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

from joblist.errors import UsageError
from jobs.errors import LedgerInUse, LedgerRefused
from jobs.ledger import operations, schema
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store, default_path

T = TypeVar("T")


def add_ledger(parser: argparse.ArgumentParser) -> Any:
    """Let the command be told which ledger it is about; return the group, of which one is given."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument(
        "joblist",
        nargs="?",
        type=Path,
        metavar="JOBLIST.csv",
        help="joblist that a server on this machine serves or served",
    )
    which.add_argument(
        "--ledger", type=Path, metavar="FILE", help="the server's --ledger, where it had one"
    )
    return which


def add_jobs(parser: argparse.ArgumentParser, *, every: str) -> None:
    """Let the command be told which jobs it is about."""
    parser.add_argument(
        "--job",
        action="append",
        default=[],
        metavar="J",
        help=f"number, csv or medium of a job; may be repeated (default: {every})",
    )


class Target:
    """A ledger that exists.

    Raises:
        LedgerRefused: It does not.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.path: Path = args.ledger or default_path(args.joblist)
        if not self.path.is_file():
            raise LedgerRefused(
                f"{self.path} does not exist: was this joblist served on this machine?"
            )

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Ask without changing anything, also while a server works."""
        try:
            with closing(schema.connect(self.path, readonly=True)) as db:
                if schema.version(db) != schema.VERSION:
                    raise LedgerRefused(
                        f"{self.path} was made by another version of this program: serve its "
                        "joblist once with this one"
                    )
                return query(db)
        except sqlite3.DatabaseError as error:
            raise LedgerRefused(f"{self.path} is not a ledger ({error})") from error

    def find(self, names: Sequence[str]) -> list[int]:
        """Return the numbers of the jobs that an operator names."""
        jobs, unknown = self.read(lambda db: operations.find(db, names))
        if unknown:
            raise UsageError(f"no job {unknown[0]!r}: give its number, its csv or its medium")
        return jobs

    def change(self, verb: str, *args: Any) -> list[int]:
        """Have the running server change jobs, or do it where there is none."""
        try:
            store = Store(self.path)
        except LedgerInUse:
            return list(self.ask(verb, *args))
        with closing(store):
            changed: list[int] = getattr(operations, verb)(Ledger(store), *args)
            return changed

    def ask(self, verb: str, *args: Any) -> Any:
        """Ask the running server.

        Raises:
            UsageError: There is none.
        """
        from jobs.server.operator import Door

        with closing(Door(self.path)) as door:
            return door.call(verb, *args)


def tell(changed: Sequence[int], what: str, *, asked: int) -> int:
    """Report how many jobs were changed; return the exit code."""
    print(f"{len(changed)} jobs {what}")
    if len(changed) < asked:
        print(f"{asked - len(changed)} were not in a state for that", file=sys.stderr)
        return 1
    return 0
