"""Cancel jobs that are not done."""

from __future__ import annotations

import argparse
from typing import Any

from jobs.commands._arguments import add_command
from jobs.commands._target import Target, add_jobs, add_ledger, report_changed
from jobs.ledger import queries

EPILOG = """\
examples:
  python -m jobs cancel jobs.csv --job 17 --job results/film.csv
  python -m jobs cancel jobs.csv --all

exit code: 0 cancelled, 1 some were not in a state for that, 2 bad usage"""


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
    jobs = target.read(queries.unfinished) if args.all else target.find(args.job)
    return report_changed(target.change("cancel", jobs), "are cancelled", requested=len(jobs))
