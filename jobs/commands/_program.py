"""The program of all commands: `python -m jobs`, and a part of `ina`."""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Collection, Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ina_cli.output import steady_printing
from ina_cli.parser import Parser, add_version
from joblist.errors import UsageError
from jobs.analysis import load_analysis
from jobs.errors import JobsError, LedgerUnavailable

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
    arguments = sys.argv[1:] if argv is None else list(argv)
    return run(program_parser(arguments[:1]).parse_args(arguments))


def program_parser(only: Collection[str] = ()) -> Parser:
    """Return the parser of the program.

    Args:
        only: Names of the only commands that are needed; others are left out.
    """
    parser = Parser(prog=PROG, description=DESCRIPTION, epilog=EPILOG, has_settings=False)
    fill(parser, only)
    return parser


def fill(parser: argparse.ArgumentParser, only: Collection[str] = ()) -> None:
    """Add commands, and the version, to the parser of a program.

    Args:
        parser: Parser of the program.
        only: Names of the only commands that are needed; others are left out.
    """
    add_version(parser, lambda: load_analysis().PROGRAM)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    files = sorted(file.stem for file in Path(__file__).parent.glob("[!_]*.py"))
    add_commands(commands, [name for name in files if name.replace("_", "-") in only] or files)


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
        with nullcontext() if getattr(args, "only_prints", False) else steady_printing():
            return int(args.run(args))
    except LedgerUnavailable as error:
        print(f"jobs: {error}", file=sys.stderr)
        return 1
    except (JobsError, UsageError) as error:
        print(f"jobs: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
