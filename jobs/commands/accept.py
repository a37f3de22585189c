"""Take outputs that were changed on purpose for what was published."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from jobs.commands._target import Target, add_ledger
from jobs.ledger import operations
from jobs.outputs import changed_files
from jobs.outputs.changed_files import Change
from jobs.standalone import journal

PORTION = 100
"""Jobs a call: a server takes 1 MiB at a time."""
DESCRIPTION = """\
Record the new state of outputs that were changed on purpose, so that a server that goes on with
the joblist does not do their jobs again. A file counts as changed so only where the ledger knows
it as it was before, and it is now as the table says. For Slurm: python -m jobs slurm accept."""

EPILOG = """\
example:
  python -m jobs accept jobs.csv --changes jobs.changes.csv
  python -m jobs accept --changes jobs.changes.csv --journal results/*.journal

exit code: 0 accepted, 1 a file is not as the table says, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "accept",
        help="record the new state of outputs that were changed on purpose",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_ledger(parser).add_argument(
        "--journal",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="journals of run-job, none of which is at work",
    )
    add_changes(parser)
    parser.set_defaults(run=run)


def add_changes(parser: argparse.ArgumentParser) -> None:
    """Let the command be told what was changed."""
    parser.add_argument(
        "--changes",
        type=Path,
        required=True,
        metavar="FILE.csv",
        help="what `forget` or `correct` has written",
    )


def trusted(table: Path) -> tuple[Mapping[str, Change], set[str]]:
    """Return the changes of files that are as the table says, and the others' paths."""
    changes = changed_files.read(table)
    wrong = changed_files.wrong(changes)
    return {path: change for path, change in changes.items() if path not in wrong}, wrong


def tell(accepted: int, wrong: Collection[str]) -> int:
    """Report how many jobs were changed; return the exit code."""
    for path in wrong:
        print(f"altered or missing: {path}: not accepted; see python -m jobs verify")
    print(f"{accepted} jobs with changed outputs accepted")
    return 1 if wrong else 0


def run(args: argparse.Namespace) -> int:
    """Change the records; 1 when a file is not as the table says."""
    if args.journal:
        good, wrong = trusted(args.changes)
        return tell(sum(journal.accept([path], good, into=path) for path in args.journal), wrong)
    target = Target(args)
    good, wrong = trusted(args.changes)
    jobs = target.read(lambda db: list(operations.changed_manifests(db, good)))
    accepted = []
    for first in range(0, len(jobs), PORTION):
        accepted += target.change("accept", jobs[first : first + PORTION])
    return tell(len(accepted), wrong) or int(len(accepted) < len(jobs))
