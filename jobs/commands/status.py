"""Print the number of jobs by state, and the reasons of failures."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from jobs.commands._arguments import add_command
from jobs.commands._target import Target, add_ledger
from jobs.ledger import queries
from jobs.types import Job

EPILOG = """\
examples:
  python -m jobs status jobs.csv
  python -m jobs status --ledger /var/lib/ina/jobs.ledger

exit code: 0 shown, 2 there is no such ledger"""


def add(commands: Any) -> None:
    """Add the command."""
    text = "jobs by state, and why some failed"
    parser = add_command(commands, "status", text, epilog=EPILOG)
    add_ledger(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the counts and the failures."""
    target = Target(args)
    _print_status(target.read(queries.counts), target.read(queries.bad))
    return 0


def _print_status(counts: dict[str, int], bad: Sequence[Job]) -> None:
    # Slow to import, and only this command needs it.
    from rich import console, table

    rows = table.Table("state", "jobs")
    for state, number in sorted(counts.items()):
        rows.add_row(state, str(number))
    console.Console().print(rows)
    for job in bad:
        reason = f"{job.error_kind}: {job.error}"
        print(f"{job.state.value}: job {job.id}, {job.spec.source_path} ({reason})")
