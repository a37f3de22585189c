"""What the command lines of older tools have in common."""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

_EXIT = "exit code: 0 done, 1 it failed, in whole or part, 2 bad usage"


def tool(tools: Any, name: str, text: str, *examples: str) -> argparse.ArgumentParser:
    """Add the parser of a tool or of one of its scripts.

    Args:
        tools: Subparsers.
        name: Name of the tool.
        text: Its help.
        examples: Arguments of calls, without the program.
    """
    parser: argparse.ArgumentParser = tools.add_parser(
        name,
        help=text,
        description=text,
        has_settings=False,
    )
    if examples:
        lines = "\n".join(f"  {parser.prog} {example}" for example in examples)
        parser.epilog = f"examples:\n{lines}\n\nSee docs/coming-from.md.\n\n{_EXIT}"
    return parser


def add_ignored(parser: argparse.ArgumentParser, names: Sequence[str]) -> None:
    """Add options that have no meaning here, so that old scripts go on.

    Args:
        parser: Parser of the tool.
        names: Options, with underscores.
    """
    parser.set_defaults(ignored=names)
    for name in names:
        parser.add_argument(f"--{name.replace('_', '-')}", help=argparse.SUPPRESS)


def note_ignored(args: argparse.Namespace) -> None:
    """Say which options were given that have no meaning here."""
    for name in getattr(args, "ignored", ()):
        if getattr(args, name) is not None:
            option = f"--{name.replace('_', '-')}"
            print(f"note: {option} has no effect here (docs/coming-from.md)", file=sys.stderr)
