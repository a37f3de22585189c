"""Parts of commands that read or change a ledger, with or without a running server."""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from joblist.errors import UsageError
from jobs.errors import LedgerInUse, LedgerRefused
from jobs.ledger import operations, schema
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store, default_path

T = TypeVar("T")
Change = Callable[..., list[int]]
"""Function that takes the name of a function in `jobs.ledger.operations` and its arguments without
the ledger, and returns the numbers of the jobs that were changed."""


def add_ledger(parser: argparse.ArgumentParser) -> Any:
    """Add the options that name the ledger; return their group, of which one must be given."""
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument(
        "joblist",
        nargs="?",
        type=Path,
        metavar="JOBLIST.csv",
        help="joblist that a server on this machine serves or served",
    )
    group.add_argument(
        "--ledger", type=Path, metavar="FILE", help="the --ledger of the server, if it was given"
    )
    return group


def add_jobs(parser: argparse.ArgumentParser, *, default: str) -> None:
    """Add the option that names jobs.

    Args:
        parser: Parser of the command.
        default: Jobs that are meant without the option, in words.
    """
    parser.add_argument(
        "--job",
        action="append",
        default=[],
        metavar="J",
        help=f"number, result or medium of a job; may be repeated (default: {default})",
    )


class Target:
    """The ledger that a command reads or changes.

    Args:
        args: Arguments with the options of `add_ledger`.

    Raises:
        LedgerRefused: The ledger does not exist.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.is_served = False
        """Whether a server has made the last changes."""
        self.path: Path = args.ledger or default_path(args.joblist)
        if self.path.is_dir():
            raise LedgerRefused(f"{self.path} is a folder: give the file of a ledger in it")
        if not self.path.is_file():
            raise LedgerRefused(
                f"{self.path} does not exist: was this joblist served on this machine?"
            )

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Open the ledger for queries; a server may run meanwhile.

        Raises:
            LedgerRefused: The file is not a ledger of this version, or cannot be read.
        """
        try:
            with closing(schema.connect(self.path, readonly=True)) as db:
                found = schema.version(db)
                if found is None:
                    raise LedgerRefused(
                        f"{self.path} is not a ledger, or its server has just started: give the "
                        "file of a ledger, or try again"
                    )
                if found != schema.VERSION:
                    raise LedgerRefused(
                        f"{self.path} was made by another version of this program: serve its "
                        "joblist once with this one"
                    )
                yield db
        except sqlite3.DatabaseError as error:
            raise LedgerRefused(f"{self.path} is not a ledger ({error})") from error

    def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Return the result of a query; see `reading`."""
        with self.reading() as db:
            return query(db)

    def find(self, names: Sequence[str]) -> list[int]:
        """Return the numbers of jobs.

        Args:
            names: Numbers, paths of results, and media of the jobs.

        Raises:
            UsageError: There is no job with a name.
        """
        jobs, unknown = self.read(lambda db: operations.find(db, names))
        if unknown:
            raise UsageError(f"no job {unknown[0]!r}: give its number, its csv or its medium")
        return jobs

    @contextmanager
    def changing(self) -> Iterator[Change]:
        """Give the function that changes jobs, by the running server or without one if none runs.

        A call takes `operations.PORTION` jobs at most: a server accepts 1 MiB, and its workers wait
        for the ledger meanwhile.
        """
        try:
            store = Store(self.path)
        except LedgerInUse:
            store = None
        self.is_served = store is None
        if store is None:
            yield lambda operation, *args: list(self.call_server(operation, *args))
            return
        with closing(store):
            ledger = Ledger(store)
            yield lambda operation, *args: getattr(operations, operation)(ledger, *args)

    def call_server(self, method: str, *args: Any) -> Any:
        """Call a method of the running server; return its answer.

        Args:
            method: Name of a method of `jobs.server.operator.Operator`.
            args: Its arguments.

        Raises:
            UsageError: No server runs.
        """
        from jobs.server.operator import Door

        with closing(Door(self.path)) as door:
            return door.call(method, *args)
