"""Take outputs that were changed on purpose for what was published."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from jobs import changes, operations
from jobs.commands._target import Target, add_ledger

PORTION = 100
"""Jobs a call: a server takes 1 MiB at a time."""
DESCRIPTION = """\
Record the new state of outputs that were changed on purpose, so that a server that goes on with
the joblist does not do their jobs again. A file counts as changed so only where the ledger knows
it as it was before, and it is now as the table says."""

EPILOG = """\
example:
  python -m jobs accept jobs.csv --changes jobs.changes.csv

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
    add_ledger(parser)
    parser.add_argument(
        "--changes",
        type=Path,
        required=True,
        metavar="FILE.csv",
        help="what `forget` or `correct` has written",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Change the records; 1 when a file is not as the table says."""
    target = Target(args)
    known = changes.read(args.changes)
    wrong = changes.wrong(known)
    for path in wrong:
        print(f"altered or missing: {path}: not accepted; see python -m jobs verify")
    good = {path: change for path, change in known.items() if path not in wrong}
    jobs = target.read(lambda db: list(operations.as_changed(db, good)))
    accepted = []
    for first in range(0, len(jobs), PORTION):
        accepted += target.change("accept", jobs[first : first + PORTION])
    print(f"{len(accepted)} jobs with changed outputs accepted")
    return 1 if wrong or len(accepted) < len(jobs) else 0
