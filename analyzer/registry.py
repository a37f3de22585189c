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

The same `create` may also stand outside of this package: in an installed package that offers it by
an entry point, in a module, in a file (`--detector squares.py:size=32`), or be an object of a
Python program; `analyzer.plugins` loads it, for the kinds in `PROTOCOLS`.
"""

import ast
import difflib
import importlib
import inspect
import types
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from analyzer.errors import MissingDependency, UsageError
from analyzer.plugins import contract, objects, outside, values
from analyzer.plugins.spec import Spec, pairs, split
from ina_cli import libraries, modules

__all__ = [
    "Spec",
    "check",
    "constant",
    "creator",
    "is_foreign_code",
    "kept",
    "load",
    "module",
    "names",
    "offer",
    "outside_packages",
    "package_of",
    "pinned",
    "prepared",
    "read",
    "split",
]

_Value = TypeVar("_Value")
PLUGINS: Mapping[str, str] = {
    "align": "stages.align",
    "ask": "ask",
    "backend": "inference.backends",
    "cluster": "stages.cluster",
    "commands": "commands",
    "curves": "identities.curves",
    "datasets": "evaluation.datasets",
    "decode": "stages.decode",
    "demo": "demo",
    "describe": "stages.describe",
    "detect": "stages.detect",
    "export": "export",
    "formats": "files.codecs",
    "identities": "identities.backends",
    "pages": "pages",
    "quantiles": "sampling.quantiles",
    "shots": "stages.shots",
    "show": "live.screens",
    "track": "stages.track",
    "train": "training",
}
"""Kind of plug-in -> its package below `analyzer`, which has a file for each plug-in."""
PROTOCOLS: Mapping[str, str] = {
    "align": "Aligner",
    "backend": "Backend",
    "cluster": "Clusterer",
    "describe": "Describer",
    "detect": "Detector",
    "export": "Exporter",
    "identities": "IdentityStore",
    "shots": "ShotDetector",
    "track": "Tracker",
}
"""Kind with plug-ins from outside -> protocol of its components, in the package of `PLUGINS`."""
_FOR_ONE_MEDIUM = ("shots", "track")
"""Kinds with components that are made anew for each medium."""
_ROOT = Path(__file__).parent


def names(kind: str) -> tuple[str, ...]:
    """Return the names of all plug-ins of a kind without importing any.

    Those of this package come first, then those that other installed packages offer.

    Args:
        kind: Key of `PLUGINS`.
    """
    own = _own_names(kind)
    if kind not in PROTOCOLS:
        return own
    return (*own, *(name for name in outside.installed_names(kind) if name not in own))


def _own_names(kind: str) -> tuple[str, ...]:
    files = _folder(kind).glob("*.py")
    return tuple(sorted(f.stem for f in files if not f.stem.startswith("_")))


def _folder(kind: str) -> Path:
    return _ROOT.joinpath(*PLUGINS[kind].split("."))


def check(kind: str, text: str) -> Spec:
    """Parse a spec and check that its component exists, without importing it.

    A spec with a pin is not looked for: it may come from another machine, with a report.

    Args:
        kind: Key of `PLUGINS`.
        text: Spec, such as `centerface:size=960`.

    Raises:
        UsageError: No such component; the message lists the existing ones.
    """
    if objects.is_object(text) and kind in PROTOCOLS:
        return Spec(text)
    spec = Spec.parse(text)
    available = names(kind)
    if spec.function and spec.name in available:
        raise UsageError(f"{text!r}: write options as name:key=value,key=value")
    is_outside = kind in PROTOCOLS and bool(spec.function or spec.pin)
    if spec.name not in available and not is_outside:
        close = difflib.get_close_matches(spec.name, available, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(
            f"no {kind} component {spec.name!r}; there are: {', '.join(available)}.{hint}"
        )
    return spec


def pinned(kind: str, text: str) -> str:
    """Return a spec with its code pinned, so that equal specs are equal code on every machine.

    Args:
        kind: Key of `PLUGINS`.
        text: Spec; one of this package, or of an object, is returned as it is.

    Raises:
        UsageError: There is no such component, module or file.

    Example:
        `pinned("detect", "squares.py:size=32")` is
        `/home/me/squares.py@0123456789abcdef:create:size=32`.
    """
    spec = check(kind, text)
    if _is_own(kind, spec) or objects.is_object(spec.name):
        return text
    return str(outside.pinned(kind, spec))


def is_foreign_code(text: str) -> bool:
    """Return whether a spec names code by its module or file, which need not be installed."""
    return not objects.is_object(text) and bool(Spec.parse(text).function)


def outside_packages() -> dict[str, Path]:
    """Return the other installed packages that offer plug-ins, by name, with folder or file."""
    return outside.packages()


def package_of(kind: str, text: str) -> str:
    """Return the other installed package that offers a plug-in; empty if none does.

    Args:
        kind: Key of `PLUGINS`.
        text: Spec, but for that of an object.
    """
    spec = Spec.parse(text)
    if spec.function or spec.name in _own_names(kind):
        return ""
    return outside.package(kind, spec) if spec.name in outside.installed_names(kind) else ""


def offer(kind: str, component: Any) -> str:
    """Return the text that selects an object of this program in the place of a spec.

    The object is not kept: see `kept`.

    Args:
        kind: Key of `PROTOCOLS`.
        component: Component that fulfils the protocol of its kind; or a class or function that
            creates one. Of trackers and shot detectors, which are made anew for each medium, a
            class or function only.

    Raises:
        UsageError: The object is neither.
    """
    protocol = _protocol(kind)
    is_component = kind not in _FOR_ONE_MEDIUM and contract.is_fulfilled(component, protocol)
    if not is_component and not callable(component):
        name = type(component).__qualname__
        if kind in _FOR_ONE_MEDIUM:
            raise UsageError(f"{kind} {name}: one is made for each medium: give its class")
        contract.require(component, protocol, f"{kind} {name}")
    return objects.offer(component)


def kept(text: str) -> Any:
    """Return the object that a text selects, for its user to keep; `None` for a spec."""
    return objects.get(text) if objects.is_object(text) else None


def _is_own(kind: str, spec: Spec) -> bool:
    return not spec.function and not spec.pin and spec.name in _own_names(kind)


def _protocol(kind: str) -> str:
    return f"analyzer.{PLUGINS[kind]}:{PROTOCOLS[kind]}"


def module(kind: str, name: str) -> types.ModuleType:
    """Import the file of a plug-in of this package.

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
    """Return a constant of a plug-in; `None` if it has none.

    The files of this package are not imported for it.

    Args:
        kind: Key of `PLUGINS`.
        name: Name of the plug-in, or spec without options.
        constant_name: Name of the constant; its value is a literal.

    Raises:
        MissingPlugin: A plug-in from outside is not on this machine.
    """
    if name not in _own_names(kind):
        return outside.constant(kind, name, constant_name)
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
        MissingPlugin: A plug-in from outside is not on this machine, or is another version.
        MissingDependency: A library that the component needs is not installed.

    Example:
        `registry.load("detect", "centerface:size=960", runtime=Runtime())`
    """
    return prepared(kind, text, **context)()


def prepared(
    kind: str, text: str, *, import_later: bool = False, **context: Any
) -> Callable[[], Any]:
    """Import what a spec selects; return the function that creates the component.

    It may be called in another thread. Code from outside knows nothing of threads: its component
    is created at once, and returned by the function.

    Args:
        kind: Key of `PLUGINS`.
        text: Spec.
        import_later: Whether the function imports what is of this package, too.
        context: See `load`.

    Raises:
        UsageError: See `load`.
        MissingPlugin: See `load`.
        MissingDependency: See `load`.
    """
    spec = check(kind, text)
    if import_later and _is_own(kind, spec):
        return partial(load, kind, text, **context)
    name = f"{kind} {spec.component}"
    if objects.is_object(spec.name):
        create = objects.get(spec.name)
        if kind not in _FOR_ONE_MEDIUM and contract.is_fulfilled(create, _protocol(kind)):
            return lambda: create
    else:
        create = creator(kind, spec)
        if _is_own(kind, spec):
            options = values.convert(create, spec.options, name, frozenset(context))
            return partial(create, **options, **context)
    component = _created_outside(kind, spec, create, context)
    return lambda: component


def creator(kind: str, spec: Spec) -> Callable[..., Any]:
    """Return the function that creates a component, `create` of its file.

    Args:
        kind: Key of `PLUGINS`.
        spec: From `check`.

    Raises:
        MissingPlugin: A plug-in from outside is not on this machine, or is another version.
        MissingDependency: A library that the component needs is not installed.
    """
    if not _is_own(kind, spec):
        return outside.creator(kind, spec)
    create: Callable[..., Any] = module(kind, spec.name).create
    return create


def _created_outside(
    kind: str, spec: Spec, create: Callable[..., Any], context: Mapping[str, Any]
) -> Any:
    """Create a component from outside, which may do without `runtime`; check its protocol."""
    name = f"{kind} {spec.component}"
    given = values.accepted(create, context)
    given |= values.convert(create, spec.options, name, frozenset(given))
    try:
        inspect.signature(create).bind(**given)
    except TypeError as error:
        raise UsageError(f"{name}: {error}: give its options as name:key=value") from error
    component = create(**given)
    contract.require(component, _protocol(kind), name)
    return component


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
    options = pairs(text, f"{name} {text!r}: write it as key=value,key=value")
    return create(**values.convert(create, options, name))
