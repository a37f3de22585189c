"""Give jobs that failed all their attempts again."""

from __future__ import annotations

import argparse
from typing import Any

from jobs import queries
from jobs.commands._target import Target, add_jobs, add_ledger, tell


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("retry", help="try failed, waiting or cancelled jobs again")
    add_ledger(parser)
    add_jobs(parser, every="all that failed")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Make the jobs ready."""
    target = Target(args)
    jobs = target.find(args.job) if args.job else [job.id for job in target.read(queries.bad)]
    return tell(target.change("retry", jobs), "are to be tried again", asked=len(jobs))
