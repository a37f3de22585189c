"""Cancel jobs that are not done."""

from __future__ import annotations

import argparse
from typing import Any

from jobs.commands._arguments import add_command
from jobs.commands._portions import change_jobs
from jobs.commands._target import Target, add_jobs, add_ledger
from jobs.types import State

ALL = (State.READY, State.WAIT, State.LEASED, State.SHARDED)

EPILOG = """\
examples:
  python -m jobs cancel jobs.csv --job 17 --job results/film.csv
  python -m jobs cancel jobs.csv --all

exit code: 0 cancelled, 1 some were left as they are, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command."""
    text = "cancel jobs that are not done"
    parser = add_command(commands, "cancel", text, epilog=EPILOG)
    add_ledger(parser)
    add_jobs(parser, default="none")
    parser.add_argument("--all", action="store_true", help="every job that is not done")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Cancel the jobs."""
    target = Target(args)
    named = None if args.all else target.find(args.job)
    return change_jobs(target, "cancel", named, *ALL, what="are cancelled")
