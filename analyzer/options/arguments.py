"""Analysis options on a command line."""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, Protocol

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.options.analysis import AnalysisOptions, read_names
from analyzer.options.older_tools import ALIASES, PREPROCESSED, own_options
from analyzer.options.validators import typed
from analyzer.weights import locate

OPTIONS = {option.name: option for option in fields(AnalysisOptions)}
"""Name -> field of each option."""

_METAVARS: Mapping[Callable[[str], Any], str] = {
    int: "N",
    float: "X",
    str: "VALUE",
    read_names: "LIST",
}

MODELS_HELP = "folder of models, such as a bundle (default: INA_MODELS, or the user's folder)"


_RIVALS = ("fps", "frame_step")
"""Options of which one alone is given: on a command line it takes the place of the other that a
file with settings has."""


class _Parser(Protocol):
    """An `argparse` parser or group."""

    def add_argument(self, *names: str, **options: Any) -> Any: ...  # pragma: no cover

    def add_mutually_exclusive_group(self) -> Any: ...  # pragma: no cover


def add_arguments(parser: _Parser) -> None:
    """Add every option of the analysis to a parser, with underscores and with hyphens.

    Args:
        parser: Parser or group of `argparse`.

    Example:
        `add_arguments(parser); AnalysisOptions.from_mapping(vars(parser.parse_args()))`
    """
    rivals = parser.add_mutually_exclusive_group()
    for option in fields(AnalysisOptions):
        group = rivals if option.name in _RIVALS else parser
        group.add_argument(*spellings(option.name), **_argument(option))
    for name, alias in ALIASES.items():
        if alias.is_command:
            parser.add_argument(
                *spellings(name), action=_OwnOptions, dest=name, help=argparse.SUPPRESS
            )
    add_models_folder(parser)


def add_models_folder(parser: _Parser) -> None:
    """Add the option `--models`; see `use_models_folder`.

    Args:
        parser: Parser or group of `argparse`.
    """
    parser.add_argument("--models", type=Path, metavar="DIR", help=MODELS_HELP)


def use_models_folder(args: argparse.Namespace) -> None:
    """Tell this process, and those that it starts, where the models are.

    Args:
        args: Arguments of a command, with or without `models`.
    """
    models_folder: Path | None = getattr(args, "models", None)
    if models_folder is not None:
        os.environ[locate.FOLDER_VARIABLE] = str(models_folder.absolute())


class _OwnOptions(argparse.Action):
    """Sets the options of this program that a word of an older tool stands for, with a note."""

    def __call__(
        self,
        _parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        _option: str | None = None,
    ) -> None:
        """Take the value of an alias, or of an option that has an older tool's values, too."""
        try:
            own, notes = own_options({self.dest: values})
            for name, value in own.items():
                setattr(namespace, name, typed(OPTIONS[name], value))
        except UsageError as error:
            raise argparse.ArgumentError(self, str(error)) from error
        print_notes(f"--{note}" for note in notes)


def print_notes(notes: Iterable[str]) -> None:
    """Print notes on standard error, where they are no part of what a program prints."""
    for note in notes:
        print(f"note: {note}", file=sys.stderr)


def spellings(name: str) -> tuple[str, ...]:
    """Return the spellings of an option: `--a_b` and, where it differs, `--a-b`.

    Args:
        name: Name of the option, with underscores.
    """
    return tuple(dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}")))


def _argument(option: "Field[Any]") -> dict[str, Any]:
    """Return the keywords of `add_argument` for one option."""
    text = option.metadata["help"]
    plugin = option.metadata.get("plugin")
    if plugin:
        text += f": {', '.join(registry.names(plugin))}"
    if option.default is not None:
        shown = ",".join(option.default) if isinstance(option.default, tuple) else option.default
        text += f" (default: {shown})"
    arguments = {"dest": option.name, "type": option.metadata["read"], "default": None}
    if option.name == "engine":
        arguments["action"] = _OwnOptions
        arguments["choices"] = (*option.metadata["choices"], PREPROCESSED)
        arguments["metavar"] = f"{{{','.join(option.metadata['choices'])}}}"
    elif "choices" in option.metadata:
        arguments["choices"] = option.metadata["choices"]
    else:
        arguments["metavar"] = "SPEC" if plugin else _METAVARS[option.metadata["read"]]
    return {**arguments, "help": text.replace("%", "%%")}
