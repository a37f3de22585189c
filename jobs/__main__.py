"""Look at the jobs of a joblist, also while a server works on them."""

from __future__ import annotations

import argparse
import sqlite3
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from jobs import queries, schema
from jobs.errors import LedgerRefused
from jobs.model import Job
from jobs.store import default_path


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    args = _parser().parse_args(argv)
    try:
        counts, bad = _read(args.ledger or default_path(args.joblist))
    except LedgerRefused as error:
        print(f"jobs: {error}", file=sys.stderr)
        return 2
    _print(counts, bad)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m jobs", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    status = verbs.add_parser("status", help="jobs by state, and why some failed")
    which = status.add_mutually_exclusive_group(required=True)
    which.add_argument("joblist", nargs="?", type=Path, metavar="JOBLIST.csv")
    which.add_argument("--ledger", type=Path, metavar="FILE", help="the server's --ledger")
    return parser


def _read(path: Path) -> tuple[dict[str, int], list[Job]]:
    """Return the counts by state and the failed jobs, without changing anything."""
    if not path.is_file():
        raise LedgerRefused(f"{path} does not exist: was this joblist served on this machine?")
    try:
        with closing(schema.connect(path, readonly=True)) as db:
            return queries.counts(db), queries.bad(db)
    except sqlite3.DatabaseError as error:
        raise LedgerRefused(f"{path} is not a ledger ({error})") from error


def _print(counts: dict[str, int], bad: Sequence[Job]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("state", "jobs")
    for state, number in sorted(counts.items()):
        table.add_row(state, str(number))
    Console().print(table)
    for job in bad:
        print(f"{job.state.value}: {job.spec.source_path} ({job.error_kind}: {job.error})")


if __name__ == "__main__":
    sys.exit(main())
