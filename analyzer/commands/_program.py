"""The program of all commands: `python -m analyzer`, and a part of `ina`."""

import argparse
import sys
from collections.abc import Collection, Sequence
from contextlib import nullcontext
from typing import Any

from analyzer import registry
from analyzer._version import __version__
from analyzer.errors import AnalyzerError
from analyzer.options import use_models_folder
from ina_cli import libraries, stops
from ina_cli.output import printing, steady_printing
from ina_cli.parser import Parser, add_version

PROG = "python -m analyzer"
DESCRIPTION = "Who is on screen in videos, for how long, and with which perceived sex and age."
EPILOG = """\
python -m analyzer COMMAND --help tells all about a command. The program ina-analyzer is the same,
and ina has these commands, too.

examples:
  python -m analyzer analyze film.mp4 -o results --fps 5
  python -m analyzer models list

exit code: 0 done, 1 it failed, in whole or part, 2 bad usage, 130 stopped by Ctrl-C,
143 by SIGTERM"""


def main(argv: Sequence[str] | argparse.Namespace | None = None) -> int:
    """Run one command; print what is wrong; return its exit code.

    Args:
        argv: Arguments of the command line; `None`: those of this process. From a program that has
            parsed them: the parsed ones.
    """
    with libraries.explained(), printing(), stops.raised():
        try:
            args = argv if isinstance(argv, argparse.Namespace) else _parsed(argv)
            use_models_folder(args)
            with nullcontext() if getattr(args, "only_prints", False) else steady_printing():
                return int(args.run(args))
        except AnalyzerError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2 if error.kind == "usage" else 1
        except stops.Terminated as stop:
            return stop.exit_code
        except KeyboardInterrupt:
            return 130


def _parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    arguments = sys.argv[1:] if argv is None else list(argv)
    return program_parser(arguments[:1]).parse_args(arguments)


def program_parser(only: Collection[str] = ()) -> Parser:
    """Return the parser of the program.

    Args:
        only: Names of the only commands that are needed; others are left out.
    """
    parser = Parser(prog=PROG, description=DESCRIPTION, epilog=EPILOG, has_settings=False)
    add_version(parser, lambda: __version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    names = registry.names("commands")
    for name in [name for name in names if name in only] or names:
        add_command(commands, name)
    return parser


def add_command(commands: Any, name: str) -> None:
    """Add a command to a program.

    Args:
        commands: Subparsers of the program.
        name: Name of a file in this folder.
    """
    registry.module("commands", name).add(commands)
