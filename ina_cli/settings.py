"""Options of commands from a TOML file, turned into the words of a command line.

A table has the name of a command, `[analyze]` or `[jobs.status]`, and `[analysis]` the options that
all commands with an analysis have. A value goes the same way as one on the command line, so that it
means the same.
"""

import argparse
import datetime
import difflib
import math
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ina_cli.numbers import RealNumber, WholeNumber
from ina_input import regular

COMMON = "analysis"
"""Table, and group of options, that several commands have in common."""
COMMANDS: Mapping[str, Sequence[str]] = {
    "analyze": (),
    "ask": (),
    "audit": ("draw", "page", "report"),
    "collect": (),
    "correct": (),
    "estimate": (),
    "evaluate": ("attributes", "clustering"),
    "export": (),
    "forget": (),
    "identities": (
        *("different", "export", "history", "key", "list", "merge", "name", "page", "rekey"),
        *("same", "serve", "show", "split", "suggest", "threshold", "undo"),
    ),
    "jobs": (
        *("accept", "cancel", "certs", "drain", "pause", "resume", "retry", "run-job", "status"),
        "verify",
    ),
    "models": ("add", "bundle", "fetch", "list", "verify"),
    "plan": (),
    "recluster": (),
    "reexport": (),
    "sample": (),
    "serve": (),
    "slurm": ("accept", "merge", "pilot", "status", "submit", "task"),
    "train": ("attributes",),
    "webcam": (),
    "work": (),
}
"""Command -> the commands below it: the tables that a file may have."""
_MAX_BYTES = 1 << 20
"""Size of a file."""
_LISTS = ("LIST",)
"""What stands for words with commas between them in a help page."""
_Words = dict[str, list[str]]
"""Name of an option -> what would stand on the command line."""


class SettingsError(Exception):
    """A file with settings is wrong; the message names file, key and cure."""


def with_file(parser: argparse.ArgumentParser, table: str, arguments: Sequence[str]) -> list[str]:
    """Return arguments with those of the file that `--config` names.

    Args:
        parser: Parser of a command.
        table: Table of the command, such as `jobs.status`.
        arguments: Words of the command line; what they set is not taken from the file.

    Raises:
        SettingsError: The file cannot be read, or something in it is wrong.
    """
    path = _config(arguments)
    if path is None:
        return list(arguments)
    words = _words_of(parser, table, path)
    for name in _overruled(parser, arguments):
        words.pop(name, None)
    end = arguments.index("--") if "--" in arguments else len(arguments)
    added = [word for option in words.values() for word in option]
    return [*arguments[:end], *added, *arguments[end:]]


def _config(arguments: Sequence[str]) -> str | None:
    """Return the value of `--config`; `None` without it, or where it is missing."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--config", nargs="?")
    path: str | None = parser.parse_known_args(list(arguments))[0].config
    return path


def _words_of(parser: argparse.ArgumentParser, table: str, path: str) -> _Words:
    """Return what a file sets for a command; its own table counts more than the common one."""
    tables = _tables(path)
    options = _options(parser)
    group = next((group for group in parser._action_groups if group.title == COMMON), None)
    common = {action.dest for action in group._group_actions} if group else set()
    words: _Words = {}
    for name in (COMMON, table) if group else (table,):
        for key, value in tables.get(name, {}).items():
            where = f"{path}: [{name}] {key}"
            action = options.get(key.replace("-", "_"))
            if action is None:
                raise SettingsError(f"{where}: {_unknown(parser, key, options)}")
            if name == COMMON and action.dest not in common:
                raise SettingsError(f"{where}: put it into the table [{table}]")
            words[action.dest] = _words(action, value, where)
    return words


def _tables(path: str) -> dict[str, dict[str, Any]]:
    """Read a file; return its tables by name, as `analyze` and `jobs.status`."""
    try:
        document = _parsed(regular.read_text(path, limit=_MAX_BYTES))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}: name a TOML file") from error
    except RecursionError as error:
        raise SettingsError(f"{path}: this is no TOML: nested too deep") from error
    except ValueError as error:
        raise SettingsError(f"{path}: this is no TOML: {error}") from error
    tables: dict[str, dict[str, Any]] = {}
    known = (COMMON, *COMMANDS)
    for name, table in document.items():
        _require_table(table, name, known, path, "")
        if not COMMANDS.get(name):
            tables[name] = table
            continue
        for below, inner in table.items():
            _require_table(inner, below, COMMANDS[name], path, f"{name}.")
            tables[f"{name}.{below}"] = inner
    return tables


def _parsed(text: str) -> dict[str, Any]:
    """Parse TOML; only a program that is given a file loads the library."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _require_table(table: Any, name: str, known: Collection[str], path: str, above: str) -> None:
    """Require that something in a file is the table of a command."""
    if name not in known:
        near = nearest(name, known) or f"there are {', '.join(known)}"
        kind = "table" if isinstance(table, dict) else "option outside of a table"
        raise SettingsError(f"{path}: {above}{name}: there is no such {kind}; {near}")
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: {above}{name}: write it as a table, [{above}{name}]")


def _options(parser: argparse.ArgumentParser) -> dict[str, argparse.Action]:
    """Return the options of a command by their long names, with underscores."""
    return {
        name[2:].replace("-", "_"): action
        for name, action in parser._option_string_actions.items()
        if name.startswith("--") and name not in ("--config", "--help", "--version")
    }


def _unknown(
    parser: argparse.ArgumentParser, key: str, options: Mapping[str, argparse.Action]
) -> str:
    """Return what to say about a key that is no option."""
    if any(action.dest == key and not action.option_strings for action in parser._actions):
        return "this belongs on the command line"
    shown = [name for name, action in options.items() if action.help != argparse.SUPPRESS]
    near = nearest(key.replace("-", "_"), shown)
    return f"there is no such option: {near or f'{parser.prog} --help lists them'}"


def _words(action: argparse.Action, value: Any, where: str) -> list[str]:
    """Return a value of a file as the words of a command line."""
    option = max(action.option_strings, key=len)
    if isinstance(value, bool) and action.nargs in (0, "?"):
        return [option] if value else []
    if action.nargs == 0:
        raise SettingsError(f"{where}: give true or false")
    values = value if isinstance(value, list) else [value]
    texts = [_text(action, one, where) for one in values]
    if isinstance(action, argparse._AppendAction):
        words = [f"{option}={text}" for text in texts]
    elif action.nargs in ("+", "*"):
        for text in texts:
            if text.startswith("-"):
                raise SettingsError(f"{where}: {text!r} would be an option: write ./{text}")
        words = [option, *texts]
    elif isinstance(value, list) and action.metavar not in _LISTS:
        raise SettingsError(f"{where}: give one value, without brackets")
    else:
        texts = [",".join(texts)]
        words = [f"{option}={texts[0]}"]
    for text in texts:
        _require_readable(action, text, where)
    return words


def _text(action: argparse.Action, value: Any, where: str) -> str:
    """Return one value as text, if it has the type of the option."""
    if isinstance(value, bool | dict | list | datetime.date | datetime.time):
        raise SettingsError(f"{where}: give {_wanted(action)}")
    if isinstance(value, float) and not math.isfinite(value):
        raise SettingsError(f"{where}: give a finite number")
    is_text = isinstance(value, str)
    if action.type in (None, str, Path) or action.metavar in _LISTS:
        if not is_text and action.metavar not in _LISTS:
            raise SettingsError(f'{where}: give text, in quotes: "{value}"')
    elif is_text and _kind(action) in (int, float):
        raise SettingsError(f"{where}: give {_wanted(action)}, without quotes")
    return str(value)


def _wanted(action: argparse.Action) -> str:
    kinds: dict[Any, str] = {int: "a whole number", float: "a number"}
    return kinds.get(_kind(action), "text, in quotes")


def _kind(action: argparse.Action) -> Any:
    """Return what reads a value, or `int` and `float` for what reads such a number in limits."""
    limited = {WholeNumber: int, RealNumber: float}
    return limited.get(type(action.type), action.type)


def _require_readable(action: argparse.Action, text: str, where: str) -> None:
    """Require that the command line can read a text as the value of an option."""
    try:
        value = action.type(text) if callable(action.type) else text
    except argparse.ArgumentTypeError as error:
        raise SettingsError(f"{where}: {error}") from error
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{where}: {text!r} cannot be read: give {_wanted(action)}") from error
    if action.choices is not None and value not in action.choices:
        choices = list(map(str, action.choices))
        near = nearest(text, choices) or f"choose from {', '.join(choices)}"
        raise SettingsError(f"{where}: {text!r}: {near}")


def _overruled(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> set[str]:
    """Return the options that the command line sets, and those that exclude what it sets."""
    given = set(_given(parser, arguments))
    rivals = {
        action.dest
        for group in parser._mutually_exclusive_groups
        for action in group._group_actions
        if given & {other.dest for other in group._group_actions}
    }
    return given | rivals


def _given(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> Iterator[str]:
    """Yield the options that the command line sets, and its arguments without an option."""
    positionals = [action.dest for action in parser._actions if not action.option_strings]
    value_of: argparse.Action | None = None
    for number, word in enumerate(arguments):
        if word == "--":
            yield from positionals if arguments[number + 1 :] else ()
            return
        action = _action(parser, word)
        if action is not None:
            yield action.dest
            value_of = None if "=" in word or action.nargs == 0 else action
        elif value_of is None:
            yield from positionals
        elif value_of.nargs not in ("*", "+"):
            value_of = None


def _action(parser: argparse.ArgumentParser, word: str) -> argparse.Action | None:
    """Return the option that a word is, or is the beginning of."""
    name, options = word.partition("=")[0], parser._option_string_actions
    if name in options:
        return options[name]
    if name.startswith("--"):
        return next((options[option] for option in options if option.startswith(name)), None)
    return options.get(word[:2]) if word.startswith("-") else None


def nearest(word: str, words: Collection[str], *, prefix: str = "") -> str:
    """Return a question for the nearest of some words, for a message; empty if none is near.

    Args:
        word: A word that is none of them.
        words: Words that would be right.
        prefix: Text that stands before the word in the message.
    """
    close = difflib.get_close_matches(word, words, n=1)
    return f"did you mean {prefix}{close[0]}?" if close else ""
