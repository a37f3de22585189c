"""Print the number of jobs by state, and the reasons of failures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Any

from ina_cli.console import console
from ina_cli.escapes import as_it_is
from jobs.commands._arguments import add_command
from jobs.commands._target import Target, add_ledger
from jobs.ledger import queries
from jobs.types import Job

EPILOG = """\
examples:
  python -m jobs status jobs.csv
  python -m jobs status --ledger /var/lib/ina/jobs.ledger
  python -m jobs status jobs.csv --json

exit code: 0 shown, 2 there is no such ledger"""


def add(commands: Any) -> None:
    """Add the command."""
    text = "jobs by state, and why some failed"
    parser = add_command(commands, "status", text, epilog=EPILOG)
    add_ledger(parser)
    parser.add_argument("--json", action="store_true", help="print it for programs, as JSON")
    parser.set_defaults(run=run, only_prints=True)


def run(args: argparse.Namespace) -> int:
    """Print the counts and the failures."""
    with Target(args).reading() as db:
        counts, bad = queries.counts(db), queries.each_bad(db)
        if args.json:
            document = {"counts": counts, "total": sum(counts.values()), "bad": [*map(_entry, bad)]}
            print(json.dumps(document, indent=1), file=as_it_is(sys.stdout))
        else:
            _print_status(counts, bad)
    return 0


def _entry(job: Job) -> dict[str, Any]:
    """Return what is known of a job that failed, as JSON-able values."""
    return {
        "id": job.id,
        "state": job.state.value,
        "source_path": job.spec.source_path,
        "dest_csv": job.spec.dests["csv"],
        "attempts": job.attempts,
        "error_kind": job.error_kind,
        "error": job.error,
    }


def _print_status(counts: dict[str, int], bad: Iterable[Job]) -> None:
    # Slow to import, and only this command needs it.
    from rich import table

    rows = table.Table("state", "jobs")
    for state, number in sorted(counts.items()):
        rows.add_row(state, str(number))
    console().print(rows)
    for job in bad:
        reason = f"{job.error_kind}: {job.error}"
        print(f"{job.state.value}: job {job.id}, {job.spec.source_path} ({reason})")
