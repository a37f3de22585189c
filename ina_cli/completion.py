"""Scripts that make a shell complete the words of a command line, by the library shtab."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import shtab

_FILES = ("FILE", "MEDIA", "ITEM", "PATH", "RESULTS", "SOURCE", "JOBLIST", ".json", "CSV")
"""Parts of what stands for a file in a help page."""


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script for a shell.

    Args:
        parser: Parser of the whole program; it is changed, and not to be used any more.
        shell: `bash`, `zsh` or `fish`.
    """
    for command in parsers(parser):
        for action in command._actions:
            if isinstance(action, argparse._SubParsersAction):
                # Hidden where a page has an overview of its own.
                action.help = None
            elif action.choices is None and action.nargs != 0:
                _mark(action)
    return str(shtab.complete(parser, shell))


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield a parser and those of all commands below it."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from parsers(command)


def _mark(action: argparse.Action) -> None:
    """Mark an argument that is a file or a folder."""
    name = str(action.metavar or action.dest)
    if "DIR" in name or action.dest == "folder":
        action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    elif action.type is Path or any(part in name for part in _FILES):
        action.complete = shtab.FILE  # type: ignore[attr-defined]
