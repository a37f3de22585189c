"""The program of all commands: `python -m jobs`, and a part of `ina`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ina_cli.parser import Parser, add_version
from joblist.errors import UsageError
from jobs.analysis import load_analysis
from jobs.errors import JobsError

PROG = "python -m jobs"
DESCRIPTION = "Look at the jobs of a joblist and steer its server, or mend what is wrong with them."
EPILOG = """\
python -m jobs COMMAND --help describes a command. The program ina-jobs is the same. If a server of
the joblist runs on this machine, it makes the changes; otherwise they go into its ledger.

examples:
  python -m jobs status jobs.csv
  python -m jobs retry jobs.csv --job results/film.csv

exit code: 0 done, 1 not all of it, 2 bad usage; COMMAND --help names others"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    return run(program_parser().parse_args(argv))


def program_parser() -> Parser:
    """Return the parser of the program."""
    parser = Parser(prog=PROG, description=DESCRIPTION, epilog=EPILOG, has_settings=False)
    fill(parser)
    return parser


def fill(parser: argparse.ArgumentParser) -> None:
    """Add all commands, and the version, to the parser of a program."""
    add_version(parser, lambda: load_analysis().PROGRAM)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    files = Path(__file__).parent.glob("[!_]*.py")
    add_commands(commands, sorted(file.stem for file in files))


def add_commands(commands: Any, names: Iterable[str]) -> None:
    """Add commands to a program.

    Args:
        commands: Subparsers of the program.
        names: Names of files in this folder.
    """
    for name in names:
        importlib.import_module(f"jobs.commands.{name}").add(commands)


def run(args: argparse.Namespace) -> int:
    """Run a command that was parsed; print what is wrong; return its exit code."""
    try:
        return int(args.run(args))
    except (JobsError, UsageError) as error:
        print(f"jobs: {error}", file=sys.stderr)
        return 2
