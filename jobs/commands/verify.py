"""Find outputs that were altered or lost, and queue their jobs again."""

from __future__ import annotations

import argparse
from typing import Any

from jobs.commands._target import Target, add_ledger
from jobs.ledger import operations

EPILOG = """\
example:
  python -m jobs verify jobs.csv --dry_run

exit code: 0 every output is as it was published, 1 some are not, 2 bad usage"""


def add(commands: Any) -> None:
    """Add the command."""
    text = "compare every output with the ledger; run altered or missing ones again"
    parser = commands.add_parser(
        "verify",
        help=text,
        description=text,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_ledger(parser)
    text = "only report, and run none again"
    parser.add_argument("--dry_run", "--dry-run", action="store_true", help=text)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Report what is wrong, and requeue it; 1 when anything is."""
    target = Target(args)
    bad = target.read(_check)
    if bad and not args.dry_run:
        redone = target.change("redo", bad)
        print(f"{len(redone)} jobs are to be done again: run the server to do them")
    return 1 if bad else 0


def _check(db: Any) -> list[tuple[int, int, str]]:
    bad, checked = [], 0
    for job, what, path in operations.faults(db):
        checked += 1
        if what:
            print(f"{what}: {path} (job {job.id}, {job.spec.source_path})")
            bad.append((job.id, job.token, what))
    print(f"{checked} jobs checked, {len(bad)} with outputs that are altered or missing")
    return bad
