"""Print what makes a shell complete the commands, options and files of `ina`."""

from __future__ import annotations

import argparse
import sys
from dataclasses import fields
from typing import Any

from analyzer import registry
from analyzer.errors import MissingDependency
from analyzer.options import AnalysisOptions
from ina_cli import libraries

SHELLS = ("bash", "zsh", "fish")
EPILOG = """\
example:
  ina completion bash

docs/options.md says where each shell looks for what it prints.

exit code: 0 printed, 2 bad usage"""


def add(commands: Any, name: str) -> None:
    """Add the command to the parser's subcommands."""
    parser = commands.add_parser(
        name, help=__doc__, description=__doc__, epilog=EPILOG, has_settings=False
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    from ina.front_door import program_parser

    try:
        from ina_cli import completion
    except ModuleNotFoundError:
        install = libraries.requirements("shtab")
        error = MissingDependency("shtab", needed_by="completion", install=install)
        print(f"error: {error}", file=sys.stderr)
        return 2
    parser = program_parser()
    plugins = _plugins()
    for command in completion.parsers(parser):
        for action in command._actions:
            if action.dest in plugins and action.option_strings:
                action.choices = plugins[action.dest]
    print(completion.script(parser, args.shell))
    return 0


def _plugins() -> dict[str, list[str]]:
    """Return the names that may begin the values of options: `centerface` of `--detector`."""
    return {
        option.name: [
            *registry.names(option.metadata["plugin"]),
            *filter(None, [option.metadata.get("extra")]),
        ]
        for option in fields(AnalysisOptions)
        if "plugin" in option.metadata
    }
