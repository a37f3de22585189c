"""Analysis options on a command line."""

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any, Protocol

from analyzer import registry
from analyzer.options.analysis import AnalysisOptions, read_names

_METAVARS: Mapping[Callable[[str], Any], str] = {
    int: "N",
    float: "X",
    str: "VALUE",
    read_names: "LIST",
}


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
    if "choices" in option.metadata:
        arguments["choices"] = option.metadata["choices"]
    else:
        arguments["metavar"] = "SPEC" if plugin else _METAVARS[option.metadata["read"]]
    return {**arguments, "help": text.replace("%", "%%")}
