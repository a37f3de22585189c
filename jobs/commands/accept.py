"""Record the new state of outputs that were changed on purpose."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jobs.commands._arguments import add_command
from jobs.commands._changes import add_changes, read_changes, report_accepted
from jobs.commands._portions import in_portions
from jobs.commands._target import Target, add_ledger
from jobs.ledger import operations
from jobs.standalone import journal

DESCRIPTION = """\
Record the new state of outputs that were changed on purpose, so that a server that goes on with
the joblist does not do their jobs again. A file is accepted only if the ledger has its state
before the change, and the table its state now. For Slurm: python -m jobs slurm accept."""

EPILOG = """\
example:
  python -m jobs accept jobs.csv --changes jobs.changes.csv
  python -m jobs accept --changes jobs.changes.csv --journal results/*.journal

exit code: 0 accepted, 1 a file is not as the table says, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command."""
    text = "record the new state of outputs that were changed on purpose"
    parser = add_command(commands, "accept", text, epilog=EPILOG, description=DESCRIPTION)
    add_ledger(parser).add_argument(
        "--journal",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="journals of run-job, none of which is at work",
    )
    add_changes(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Change the records; return the exit code."""
    if args.journal:
        good, wrong = read_changes(args.changes)
        accepted_count = sum(journal.accept([path], good, into=path) for path in args.journal)
        return report_accepted(accepted_count, wrong)
    target = Target(args)
    good, wrong = read_changes(args.changes)
    jobs = accepted = 0
    with target.changing() as change, target.reading() as db:
        for portion in in_portions(operations.changed_manifests(db, good)):
            jobs += len(portion)
            accepted += len(change("accept", portion))
    return report_accepted(accepted, wrong) or int(accepted < jobs)
