"""Look at the jobs of a joblist and steer its server, or mend what is wrong with them.

A command is a file in `jobs/commands` with `add(commands)` and `run(args) -> int`.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from joblist.model import JoblistError
from jobs.errors import JobsError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    args = _parser().parse_args(argv)
    try:
        return int(args.run(args))
    except (JobsError, JoblistError) as error:
        print(f"jobs: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    summary = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m jobs", description=summary)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for file in sorted((Path(__file__).parent / "commands").glob("[!_]*.py")):
        importlib.import_module(f"jobs.commands.{file.stem}").add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
