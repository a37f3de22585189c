"""Registry of plug-ins: a folder for each kind of plug-in, a file for each plug-in.

`PLUGINS` lists the folders. `analyzer/stages/detect/centerface.py` is the component that
`--detector centerface` selects. A component is selected by a spec, `name` or
`name:option=value,option=value`; the options are the keywords of its `create`.

A plug-in is added as a file; nothing else is edited. With `analyzer/stages/detect/squares.py`::

    def create(*, size: int = 64, runtime: Runtime) -> Squares:
        return Squares(size)

`--detector squares:size=32` is valid, `--help` lists `squares`, and `tests/test_contracts.py`
checks what `create` returns against the protocol in `analyzer/stages/detect/__init__.py`.
Files that begin with `_` are helpers, not plug-ins. The folder of a new kind of plug-in takes a
line in `PLUGINS`.
"""

import ast
import difflib
import importlib
import inspect
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from analyzer.errors import MissingDependency, UsageError
from ina_cli import libraries, modules

_Value = TypeVar("_Value")
PLUGINS: Mapping[str, str] = {
    "align": "stages.align",
    "backend": "inference.backends",
    "cluster": "stages.cluster",
    "commands": "commands",
    "datasets": "evaluation.datasets",
    "decode": "stages.decode",
    "demo": "demo",
    "describe": "stages.describe",
    "detect": "stages.detect",
    "export": "export",
    "formats": "files.codecs",
    "identities": "identities.backends",
    "pages": "pages",
    "shots": "stages.shots",
    "show": "live.screens",
    "track": "stages.track",
    "train": "training",
}
"""Kind of plug-in -> its package below `analyzer`, which has a file for each plug-in."""
_ROOT = Path(__file__).parent


@dataclass(frozen=True)
class Spec:
    """Name of a component and its options, both as text."""

    name: str
    options: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Spec":
        """Parse `name[:key=value,...]`.

        Args:
            text: Spec, such as `centerface:size=960`.

        Raises:
            UsageError: The text does not have that form.
        """
        name, _, rest = text.partition(":")
        pairs = _pairs(rest, f"{text!r}: write options as name:key=value,key=value")
        return cls(name.strip().replace("-", "_"), pairs)


def _pairs(text: str, cure: str) -> tuple[tuple[str, str], ...]:
    """Parse `key=value,key=value`; `cure` is the message of the error where that fails."""
    pairs = []
    for part in filter(None, text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or not key.strip():
            raise UsageError(cure)
        pairs.append((key.strip().replace("-", "_"), value.strip()))
    return tuple(pairs)


def names(kind: str) -> tuple[str, ...]:
    """Return the names of all plug-ins of a kind without importing any.

    Args:
        kind: Key of `PLUGINS`.
    """
    files = _folder(kind).glob("*.py")
    return tuple(sorted(f.stem for f in files if not f.stem.startswith("_")))


def _folder(kind: str) -> Path:
    return _ROOT.joinpath(*PLUGINS[kind].split("."))


def check(kind: str, text: str) -> Spec:
    """Parse a spec and check that its component exists, without importing it.

    Args:
        kind: Key of `PLUGINS`.
        text: Spec, such as `centerface:size=960`.

    Raises:
        UsageError: No such component; the message lists the existing ones.
    """
    spec = Spec.parse(text)
    available = names(kind)
    if spec.name not in available:
        close = difflib.get_close_matches(spec.name, available, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(
            f"no {kind} component {spec.name!r}; there are: {', '.join(available)}.{hint}"
        )
    return spec


def module(kind: str, name: str) -> types.ModuleType:
    """Import the file of a plug-in.

    Args:
        kind: Key of `PLUGINS`.
        name: Name of the plug-in.

    Raises:
        MissingDependency: A library that it imports is not installed.
    """
    try:
        return importlib.import_module(f"analyzer.{PLUGINS[kind]}.{name}")
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing in ("", *modules.NAMES):
            raise
        install = libraries.requirements(missing)
        raise MissingDependency(missing, needed_by=f"{kind} {name}", install=install) from error


def constant(kind: str, name: str, constant_name: str) -> Any:
    """Return a constant of a plug-in without importing its file; `None` if it has none.

    Args:
        kind: Key of `PLUGINS`.
        name: Name of the plug-in.
        constant_name: Name of the constant; its value is a literal.
    """
    for node in ast.parse((_folder(kind) / f"{name}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == constant_name:
            return ast.literal_eval(node.value)
    return None


def load(kind: str, text: str, **context: Any) -> Any:
    """Create the component that a spec selects.

    Args:
        kind: Key of `PLUGINS`.
        text: Spec, such as `centerface:size=960`.
        context: Keywords that every component of this kind takes from its caller, such as
            `runtime`.

    Returns:
        Object from the component's `create`; it fulfils the protocol of the kind.

    Raises:
        UsageError: Unknown component or option, or a value of the wrong type.
        MissingDependency: A library that the component needs is not installed.

    Example:
        `registry.load("detect", "centerface:size=960", runtime=Runtime())`
    """
    spec = check(kind, text)
    create = module(kind, spec.name).create
    name = f"{kind} {spec.name}"
    return create(**_convert(create, spec.options, name, frozenset(context)), **context)


def read(create: Callable[..., _Value], text: str, name: str) -> _Value:
    """Create an object from an option that is written `key=value,key=value`.

    Args:
        create: Function; its keywords are the keys.
        text: Value of the option.
        name: Name of the option, for error messages.

    Raises:
        UsageError: The text does not have that form, a key is unknown, or a value has the wrong
            type.
    """
    pairs = _pairs(text, f"{name} {text!r}: write it as key=value,key=value")
    return create(**_convert(create, pairs, name))


def _convert(
    create: Callable[..., Any],
    options: Sequence[tuple[str, str]],
    name: str,
    context_names: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Convert the text of options to the types that `create` declares.

    Args:
        create: Function; its keywords are the options.
        options: Names and values, as text.
        name: Name for error messages.
        context_names: Keywords that are no options: the caller passes them itself.
    """
    hints = get_type_hints(create)
    parameters = inspect.signature(create).parameters
    # `attributes_` is the keyword of the option `attributes` where `attributes` is context.
    keyword_of = {k.rstrip("_"): k for k in parameters if k not in context_names}
    values = {}
    for key, text in options:
        if key not in keyword_of:
            raise UsageError(
                f"{name} has no option {key!r}; it has: {', '.join(keyword_of) or 'none'}"
            )
        keyword = keyword_of[key]
        try:
            values[keyword] = _value(text, hints[keyword])
        except ValueError:
            type_name = getattr(hints[keyword], "__name__", hints[keyword])
            raise UsageError(f"{name}: {key}={text!r} cannot be read as {type_name}") from None
    return values


def _value(text: str, hint: Any) -> Any:
    """Convert the text of one option; of a union, its first type that is not `None` counts."""
    if get_origin(hint) in (Union, types.UnionType):
        if type(None) in get_args(hint) and text.lower() in ("", "none"):
            return None
        hint = next(h for h in get_args(hint) if h is not type(None))
    if hint is bool:
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ValueError(text)
        return text.lower() in ("true", "1", "yes")
    return hint(text)
