"""The parser of all command lines: short errors that name the nearest word, and settings files."""

import argparse
import math
import re
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NoReturn

from ina_cli import settings
from ina_cli.settings import nearest

FRONT_DOOR = (
    ("python -m analyzer", "ina"),
    ("python -m jobs slurm", "ina slurm"),
    ("python -m jobs", "ina jobs"),
    ("ina_server", "ina serve"),
    ("ina_worker", "ina work"),
)
"""How a program is called, and how `ina` calls it."""
CONFIG_HELP = "take options from this file; the command line wins: docs/options.md"
_NEGATIVE_NUMBER = re.compile(r"-(\d[\d_]*)?\.?\d+(e[+-]?\d+)?", re.IGNORECASE)


class Parser(argparse.ArgumentParser):
    """A parser that explains mistakes in two lines, and reads options from a file, too.

    Args:
        has_settings: Whether it has the option `--config`; not for a program with commands, which
            have it themselves.
        keywords: Those of `argparse.ArgumentParser`.
    """

    def __init__(self, *, has_settings: bool = True, **keywords: Any) -> None:
        keywords.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        if sys.version_info >= (3, 14):
            keywords.setdefault("color", False)  # its codes would be shown, see `escapes`
        super().__init__(**keywords)
        self.description = _as_called(self.description, self.prog)
        self.epilog = _as_called(self.epilog, self.prog)
        self.has_settings = has_settings
        if has_settings:
            self.add_argument("--config", metavar="FILE.toml", help=CONFIG_HELP)

    @property
    def table(self) -> str:
        """Name of the table of a settings file that is for this command, such as `jobs.status`."""
        called = (_as_called(self.prog, "ina ") or "").split()[1:]
        return ".".join(called[1:] if called[:2] == ["jobs", "slurm"] else called)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Parse all arguments; none is left over: an unknown one is an error."""
        arguments = sys.argv[1:] if args is None else list(args)
        unknown = list(self._unknown_options(arguments))
        if unknown:
            self.error("; ".join(map(self._explained, unknown)))
        if self.has_settings:
            try:
                arguments = settings.with_file(self, self.table, arguments)
            except settings.SettingsError as error:
                self.error(str(error))
        parsed, left = super().parse_known_args(arguments, namespace)
        if left:
            self.error(f"unexpected: {' '.join(left)}")
        for name, value in vars(parsed).items():
            if isinstance(value, float) and not math.isfinite(value):
                self.error(f"--{name} {value}: give a finite number")
        return parsed, []

    def error(self, message: str) -> NoReturn:
        """Print one line of usage and the error; exit with 2."""
        self.exit(2, f"{self._short_usage()}{self.prog}: error: {message}\n")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a value that is none of the choices, and name the nearest."""
        if action.choices is not None and value not in action.choices:
            choices = list(map(str, action.choices))
            near = nearest(str(value), choices)
            if isinstance(action, argparse._SubParsersAction):
                self.error(f"there is no command {value!r}: {near or _listed(choices)}")
            raise argparse.ArgumentError(action, f"{value!r}: {near or _listed(choices)}")
        super()._check_value(action, value)

    def _unknown_options(self, arguments: Sequence[str]) -> Iterator[str]:
        """Yield the options that this parser does not have; those of a command are its own."""
        for word in arguments:
            if word == "--" or (self._subparsers and not word.startswith("-")):
                return
            if _is_option(word) and not self._knows(word):
                yield word.partition("=")[0]

    def _knows(self, word: str) -> bool:
        """Return whether a word is an option, the beginning of one, or `-o` with its value."""
        name = word.partition("=")[0]
        if name.startswith("--"):
            return any(option.startswith(name) for option in self._option_string_actions)
        return word[:2] in self._option_string_actions

    def _explained(self, option: str) -> str:
        """Return what to say about an unknown option."""
        shown = [
            name.lstrip("-")
            for name, action in self._option_string_actions.items()
            if action.help != argparse.SUPPRESS
        ]
        near = nearest(option.lstrip("-"), shown, prefix="--")
        if self._subparsers and not near:
            near = "options of a command follow it"
        return f"there is no option {option}: {near or f'{self.prog} --help lists them'}"

    def _short_usage(self) -> str:
        """Return the usage with those arguments that must be given."""
        if self.usage:
            return self.format_usage()
        options = argparse.Action([], "options", nargs="?", metavar="OPTIONS")
        needed = [action for action in self._actions if action.required or _is_shown(action)]
        formatter = self._get_formatter()
        formatter.add_usage(None, [options, *needed], [])
        return formatter.format_help()


class VersionAction(argparse.Action):
    """Prints the version, which is looked up only then.

    Args:
        version: Function that returns it.
        keywords: Those of `argparse.Action`.
    """

    def __init__(self, version: Callable[[], str], **keywords: Any) -> None:
        super().__init__(**{**keywords, "nargs": 0})
        self._version = version

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        """Print it, and exit."""
        print(f"ina {self._version()}")
        parser.exit()


def add_version(parser: argparse.ArgumentParser, version: Callable[[], str]) -> None:
    """Add the option `--version`, which prints the same for every program.

    Args:
        parser: Parser of a program.
        version: Function that returns the version.
    """
    text = "show the version and exit"
    keywords: dict[str, Any] = {"action": VersionAction, "version": version}
    parser.add_argument("--version", dest=argparse.SUPPRESS, help=text, **keywords)


def _listed(words: Collection[str]) -> str:
    return f"choose from {', '.join(words)}"


def _is_option(word: str) -> bool:
    """Return whether `argparse` takes a word for an option."""
    return (
        len(word) > 1
        and word.startswith("-")
        and " " not in word.partition("=")[0]
        and not _NEGATIVE_NUMBER.fullmatch(word)
    )


def _is_shown(action: argparse.Action) -> bool:
    return not action.option_strings and action.help != argparse.SUPPRESS


def _as_called(text: str | None, prog: str) -> str | None:
    """Return a text with the names that programs have for somebody who calls them by `ina`."""
    if text and prog.startswith("ina "):
        for name, called in FRONT_DOOR:
            text = re.sub(rf"\b{name}\b(?!\.)", called, text)
    return text
