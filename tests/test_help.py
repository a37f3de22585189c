"""What `--help` of each program and command says: read off the parsers."""

import argparse
import re
import shlex
from collections.abc import Iterator

import pytest

from analyzer.commands import _program as analyzer_program
from ina import front_door
from ina.server_options import server_parser
from ina.worker import worker_parser
from jobs.commands import _program as jobs_program

PROGRAMS = {
    "ina": front_door.program_parser(),
    "python -m analyzer": analyzer_program.program_parser(),
    "python -m jobs": jobs_program.program_parser(),
    "ina_server": server_parser(),
    "ina_worker": worker_parser(),
}
UNSAID = (None, argparse.SUPPRESS, False, "", [])
"""Defaults that are nothing."""


def below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and those of its commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from below(command)


PARSERS = [parser for program in PROGRAMS.values() for parser in below(program)]
COMMANDS = [parser for parser in PARSERS if parser._subparsers is None]


def options(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield what can be written after a command, but for other commands."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction) and action.help != "==SUPPRESS==":
            yield action


def named(parser: argparse.ArgumentParser) -> str:
    return parser.prog


@pytest.mark.parametrize("parser", PARSERS, ids=named)
def test_every_option_is_explained(parser: argparse.ArgumentParser) -> None:
    assert [a.dest for a in options(parser) if not (a.help or "").strip()] == []
    assert parser.description


@pytest.mark.parametrize("parser", PARSERS, ids=named)
def test_every_default_is_named(parser: argparse.ArgumentParser) -> None:
    silent = [
        action.dest
        for action in options(parser)
        if action.default not in UNSAID and "default" not in (action.help or "")
    ]
    assert silent == []


@pytest.mark.parametrize("parser", COMMANDS, ids=named)
def test_a_command_says_how_it_ends(parser: argparse.ArgumentParser) -> None:
    assert re.search(r"^exit code: 0 ", parser.epilog or "", re.MULTILINE)
    verbatim = f"{parser.description}\n{parser.epilog}".splitlines()
    assert max(map(len, verbatim)) <= 100


@pytest.mark.parametrize("parser", COMMANDS, ids=named)
def test_examples_are_right(parser: argparse.ArgumentParser) -> None:
    lines = re.findall(r"^  (.+)$", parser.epilog or "", re.MULTILINE)
    # The one name of two that examples have.
    prog = parser.prog.replace("ina jobs slurm", "ina slurm")
    own = [line for line in lines if line.startswith(prog)]
    assert own, "no example of the command itself"
    for line in lines:
        program = next(name for name in PROGRAMS if line.startswith(f"{name} "))
        PROGRAMS[program].parse_args(shlex.split(line.removeprefix(program)))
