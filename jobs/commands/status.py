"""Jobs by state, and why some failed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

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
    parser = commands.add_parser(
        "status",
        help=text,
        description=text,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_ledger(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the counts and the failures."""
    target = Target(args)
    _print(target.read(queries.counts), target.read(queries.bad))
    return 0


def _print(counts: dict[str, int], bad: Sequence[Job]) -> None:
    from rich import console, table

    rows = table.Table("state", "jobs")
    for state, number in sorted(counts.items()):
        rows.add_row(state, str(number))
    console.Console().print(rows)
    for job in bad:
        reason = f"{job.error_kind}: {job.error}"
        print(f"{job.state.value}: job {job.id}, {job.spec.source_path} ({reason})")
