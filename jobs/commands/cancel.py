"""Give up jobs that are not done."""

from __future__ import annotations

import argparse
from typing import Any

from jobs import queries
from jobs.commands._target import Target, add_jobs, add_ledger, tell


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("cancel", help="give up jobs that are not done")
    add_ledger(parser)
    add_jobs(parser, every="none")
    parser.add_argument("--all", action="store_true", help="every job that is not done")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Cancel the jobs."""
    target = Target(args)
    jobs = target.read(queries.unfinished) if args.all else target.find(args.job)
    return tell(target.change("cancel", jobs), "are cancelled", asked=len(jobs))
