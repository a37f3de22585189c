"""Try jobs again that failed, wait, were cancelled, or lack a file, with all their attempts."""

from __future__ import annotations

import argparse
from typing import Any

from jobs.commands._arguments import add_command
from jobs.commands._portions import change_jobs
from jobs.commands._target import Target, add_jobs, add_ledger
from jobs.types import State

EPILOG = """\
examples:
  python -m jobs retry jobs.csv
  python -m jobs retry jobs.csv --job 17

exit code: 0 they are to be tried again, 1 some were left as they are, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command."""
    text = "try jobs again that failed, wait, were cancelled, or lack a file"
    parser = add_command(commands, "retry", text, epilog=EPILOG)
    add_ledger(parser)
    add_jobs(parser, default="all that failed or lack a file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the jobs ready."""
    target = Target(args)
    named = target.find(args.job) if args.job else None
    states = (State.FAILED, State.POISON)
    what = "are to be tried again"
    return change_jobs(target, "retry", named, *states, lacking=True, what=what)
