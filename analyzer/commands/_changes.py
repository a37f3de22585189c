"""The table of files that a command has changed, by which a ledger is told."""

import argparse
import csv
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from analyzer.files.transaction import Replaced
    from analyzer.results.locate import Found

HELP = (
    "table of the changed files, for `python -m jobs accept` (default: beside the "
    "joblist, JOBLIST.changes.csv)"
)


def add(parser: argparse.ArgumentParser) -> None:
    """Add the option that names the table."""
    parser.add_argument("--changes", type=Path, metavar="FILE.csv", help=HELP)


def write(table: Path | None, results: "Found", replaced: "Sequence[Replaced]") -> None:
    """Write a table of the changed files, for `python -m jobs accept`.

    Args:
        table: What `--changes` was set to.
        results: What the command was given.
        replaced: The files.
    """
    target = table or (
        results.joblists[0].with_suffix(".changes.csv") if results.joblists else None
    )
    if not replaced or target is None:
        return
    is_new = not target.exists()
    with target.open("a", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if is_new:
            writer.writerow(("path", "sha256_before", "sha256_after"))
        writer.writerows((os.path.abspath(r.path), r.before, r.after) for r in replaced)
    for joblist in results.joblists:
        print(f"if a server served it: python -m jobs accept {joblist} --changes {target}")
        print(f"if Slurm did it: python -m jobs slurm accept {joblist} --changes {target}")
