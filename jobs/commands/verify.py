"""Find outputs that were altered or lost, and queue their jobs again."""

from __future__ import annotations

import argparse
import sqlite3
from typing import Any

from jobs.commands._arguments import add_command
from jobs.commands._target import Target, add_ledger
from jobs.ledger import operations

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
    bad = target.read(_print_faults)
    if bad and not args.dry_run:
        redone = target.change("redo", bad)
        print(f"{len(redone)} jobs are to be done again: run the server to do them")
    return 1 if bad else 0


def _print_faults(db: sqlite3.Connection) -> list[tuple[int, int, str]]:
    """Print the jobs with wrong outputs; return number, token and fault of each."""
    bad, checked = [], 0
    for job, fault, path in operations.faults(db):
        checked += 1
        if fault:
            print(f"{fault}: {path} (job {job.id}, {job.spec.source_path})")
            bad.append((job.id, job.token, fault))
    print(f"{checked} jobs checked, {len(bad)} with outputs that are altered or missing")
    return bad
