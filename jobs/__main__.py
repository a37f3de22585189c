"""Look at the jobs of a joblist and steer its server, or mend what is wrong with them.

A command is a file in `jobs/commands` with `add(commands)` and `run(args) -> int`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from joblist.errors import UsageError
from jobs.errors import JobsError

_EPILOG = """\
python -m jobs COMMAND --help describes a command. The program ina-jobs is the same. If a server of
the joblist runs on this machine, it makes the changes; otherwise they go into its ledger.

examples:
  python -m jobs status jobs.csv
  python -m jobs retry jobs.csv --job results/film.csv

exit code: 0 done, 1 not all of it, 2 bad usage; COMMAND --help names others"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except (JobsError, UsageError) as error:
        print(f"jobs: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(
        prog="python -m jobs",
        description=summary,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for file in sorted((Path(__file__).parent / "commands").glob("[!_]*.py")):
        importlib.import_module(f"jobs.commands.{file.stem}").add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
