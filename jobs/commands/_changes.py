"""Parts of both `accept` commands: the table of changed outputs."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Mapping
from pathlib import Path

from jobs.outputs import changed_files
from jobs.outputs.changed_files import Change


def add_changes(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the table."""
    parser.add_argument(
        "--changes",
        type=Path,
        required=True,
        metavar="FILE.csv",
        help="what `forget` or `correct` has written",
    )


def read_changes(table: Path) -> tuple[Mapping[str, Change], set[str]]:
    """Read the table; return the changes of files that are as it says, and the other paths."""
    changes = changed_files.read(table)
    wrong = changed_files.wrong(changes)
    return {path: change for path, change in changes.items() if path not in wrong}, wrong


def report_accepted(accepted: int, wrong: Collection[str]) -> int:
    """Print how many jobs were changed, and which files are wrong; return the exit code."""
    for path in wrong:
        print(f"altered or missing: {path}: not accepted; see python -m jobs verify")
    print(f"{accepted} jobs with changed outputs accepted")
    return 1 if wrong else 0
