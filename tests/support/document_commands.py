"""Documented commands, held against the parsers of the programs."""

from __future__ import annotations

import argparse
import io
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from functools import cache

from analyzer.commands import _program as analyzer_program
from analyzer.options import AnalysisOptions
from ina import front_door
from ina.server_options import server_parser
from ina.worker import worker_parser
from jobs.commands import _program as jobs_program
from tests.support.document_pages import Block

_PARSERS: dict[str, Callable[[], argparse.ArgumentParser]] = {
    "ina_server": server_parser,
    "ina_worker": worker_parser,
    "ina": front_door.program_parser,
    "python -m analyzer": analyzer_program.program_parser,
    "python -m jobs": jobs_program.program_parser,
}
_ASSIGNMENT = re.compile(r"[A-Za-z_]+=")


@cache
def parser(program: str) -> argparse.ArgumentParser:
    """The parser of a program."""
    return _PARSERS[program]()


def known_options() -> set[str]:
    """Every option of every command, as it may be written."""
    options: set[str] = set()
    left = [parser(program) for program in _PARSERS]
    while left:
        for action in left.pop()._actions:
            options.update(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                left.extend(action.choices.values())
    return options


def lines(block: Block) -> Iterator[tuple[str, str]]:
    """Yield a console's commands, each with what it prints."""
    command, printed = "", ""
    for line in block.text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, printed
            command, printed = line[2:], ""
        elif command.endswith("\\"):
            command = f"{command}\n{line}"
        else:
            printed += f"{line}\n"
    if command:
        yield command, printed


def script(block: Block) -> str:
    """The commands of a block, as a shell reads them."""
    if block.language == "console":
        return "\n".join(command for command, _ in lines(block))
    return block.text


def calls(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command in a shell's text."""
    reader = shlex.shlex(
        text.replace("\\\n", " ").replace("\n", "\n; "), posix=True, punctuation_chars=True
    )
    reader.whitespace_split = True
    words: list[str] = []
    for word in [*reader, ";"]:
        if set(word) <= set("();<>|&"):
            yield from [words] if words else []
            words = []
        elif words or not _ASSIGNMENT.match(word):
            words.append(word)


def program(words: list[str]) -> tuple[str, list[str]]:
    """Which of our programs a command calls, and with what; an empty name: none."""
    for name in _PARSERS:
        start = name.split()
        if words[: len(start)] == start:
            return name, words[len(start) :]
    return "", words


def fault(words: list[str]) -> str | None:
    """Why one of our programs would refuse a command, as far as its words tell."""
    name, arguments = program(words)
    if not name:
        return None
    if {"--help", "--version"} & {*arguments}:
        return None
    if "--config" in arguments:
        # A file that the page has written before.
        place = arguments.index("--config")
        arguments = [*arguments[:place], *arguments[place + 2 :]]
    errors = io.StringIO()
    try:
        with redirect_stderr(errors):
            args = parser(name).parse_args(arguments)
    except SystemExit:
        return f"{shlex.join(words)}: {errors.getvalue().splitlines()[-1]}"
    if hasattr(args, "engine"):
        AnalysisOptions.from_mapping(vars(args))
    return None
