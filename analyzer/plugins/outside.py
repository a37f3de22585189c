"""Plug-ins of installed packages, of modules and of files: what there is, and how it is loaded.

An installed package offers a plug-in by an entry point, in its `pyproject.toml`::

    [project.entry-points."ina.detect"]
    squares = "squares.detector"       # a module with `create`, or module:function
"""

import importlib
import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

from analyzer.errors import AnalyzerError, MissingPlugin
from analyzer.files.hashing import file_sha256
from analyzer.plugins.spec import Spec

_GROUP = "ina."
"""The group of entry points is this and the kind of plug-in."""
_PIN_CHARACTERS = 16


def installed_names(kind: str) -> Sequence[str]:
    """Return the names of the plug-ins of a kind that installed packages offer."""
    return sorted(_entry_points().get(kind, {}))


def pinned(kind: str, spec: Spec) -> Spec:
    """Return a spec with its code pinned; a pinned one, or one of this package, is unchanged.

    Args:
        kind: Kind of plug-in.
        spec: Spec of a plug-in from outside.

    Raises:
        MissingPlugin: There is no such package, module or file.
    """
    if spec.pin:
        return spec
    if not spec.function:
        return Spec(spec.name, spec.options, _version(_entry_point(kind, spec)))
    path = _path(spec)
    name = str(path) if spec.is_file else spec.name
    return Spec(name, spec.options, _hash(path), spec.function)


def creator(kind: str, spec: Spec) -> Callable[..., Any]:
    """Return the function that creates the component of a plug-in from outside.

    Args:
        kind: Kind of plug-in.
        spec: Spec of a plug-in from outside.

    Raises:
        MissingPlugin: It is not on this machine, is another version, or cannot be loaded.
    """
    if not spec.function:
        loaded = _loaded_entry(kind, spec)
        create = getattr(loaded, "create", None) if isinstance(loaded, ModuleType) else loaded
        function = "create"
    else:
        function = spec.function
        create = getattr(_module(spec), function, None)
    if not callable(create):
        raise MissingPlugin(f"{kind} {spec.component}: has no function {function!r}")
    return create


def constant(kind: str, name: str, constant_name: str) -> Any:
    """Return a constant of the module of an installed plug-in; `None` if it has none.

    Raises:
        MissingPlugin: It is not on this machine, or cannot be loaded.
    """
    spec = Spec.parse(name)
    if spec.function:
        return getattr(_module(spec), constant_name, None)
    module = _loaded_entry(kind, spec)
    if not isinstance(module, ModuleType):
        module = sys.modules[module.__module__]
    return getattr(module, constant_name, None)


@lru_cache(maxsize=1)
def _entry_points() -> dict[str, dict[str, list[EntryPoint]]]:
    """Return the entry points of installed packages by kind and name."""
    table: dict[str, dict[str, list[EntryPoint]]] = {}
    installed = importlib.metadata.entry_points()
    for group in installed.groups:
        if group.startswith(_GROUP):
            kind = table.setdefault(group.removeprefix(_GROUP), {})
            for entry in installed.select(group=group):
                kind.setdefault(entry.name.replace("-", "_"), []).append(entry)
    return table


def _entry_point(kind: str, spec: Spec) -> EntryPoint:
    """Return the entry point of an installed plug-in.

    Raises:
        MissingPlugin: No package offers it, two do, or the package has another version.
    """
    entries = _entry_points().get(kind, {}).get(spec.name, [])
    if not entries:
        raise MissingPlugin(
            f"{kind} {spec.component}: not installed here: install the package that offers it"
        )
    if len({entry.value for entry in entries}) > 1:
        packages = " and ".join(sorted(_package(entry) for entry in entries))
        raise MissingPlugin(f"{kind} {spec.name}: offered by {packages}: uninstall one of them")
    if spec.pin not in ("", _version(entries[0])):
        raise MissingPlugin(
            f"{kind} {spec.component}: {_package(entries[0])} is installed here: install the same "
            "version everywhere"
        )
    return entries[0]


def packages() -> dict[str, Path]:
    """Return the packages that offer plug-ins, by name, with folder or file; none is imported."""
    entries = [e for kind in _entry_points().values() for group in kind.values() for e in group]
    places = {}
    for name in sorted({_top(entry) for entry in entries}):
        try:
            module_spec = importlib.util.find_spec(name)
        except (ImportError, ValueError):
            continue
        if module_spec and module_spec.origin:
            origin = Path(module_spec.origin)
            places[name] = origin.parent if module_spec.submodule_search_locations else origin
    return places


def package(kind: str, spec: Spec) -> str:
    """Return the package that offers an installed plug-in, as `packages` names it.

    Raises:
        MissingPlugin: No package offers it.
    """
    return _top(_entry_point(kind, spec))


def _top(entry: EntryPoint) -> str:
    return entry.value.partition(":")[0].partition(".")[0].strip()


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value


def _version(entry: EntryPoint) -> str:
    return entry.dist.version if entry.dist else ""


def _loaded_entry(kind: str, spec: Spec) -> Any:
    entry = _entry_point(kind, spec)
    with _explained(f"{kind} {spec.name} of {_package(entry)}"):
        return entry.load()


def _path(spec: Spec) -> Path:
    """Return the file of a module or file spec.

    Raises:
        MissingPlugin: There is no such module or file.
    """
    if spec.is_file:
        path = Path(spec.name).absolute()
        if not path.is_file():
            raise MissingPlugin(f"{spec.name}: no such file of a plug-in")
        return path
    with _explained(spec.name), _importing_from_here():
        try:
            module_spec = importlib.util.find_spec(spec.name)
        except ModuleNotFoundError:
            module_spec = None
    if module_spec is None or module_spec.origin is None:
        raise MissingPlugin(
            f"{spec.component}: no module {spec.name!r} here: install it, or give the path of its "
            "file, FILE.py"
        )
    return Path(module_spec.origin)


def _module(spec: Spec) -> ModuleType:
    """Import a module, or a file as a module, if its code is the pinned one.

    Raises:
        MissingPlugin: It is not on this machine, was changed, or cannot be loaded.
    """
    path = _path(spec)
    digest = _hash(path)
    if spec.pin and not digest.startswith(spec.pin):
        raise MissingPlugin(
            f"{spec.component}: {path} is another version here (sha256 {digest}): give all "
            "machines the same"
        )
    with _explained(spec.component), _importing_from_here():
        if not spec.is_file:
            return importlib.import_module(spec.name)
        return _imported_file(path, f"ina_plugin_{digest}")


def _imported_file(path: Path, name: str) -> ModuleType:
    if name not in sys.modules:
        module_spec = importlib.util.spec_from_file_location(name, path)
        assert module_spec is not None
        assert module_spec.loader is not None
        module = importlib.util.module_from_spec(module_spec)
        sys.modules[name] = module
        try:
            module_spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


def _hash(path: Path) -> str:
    try:
        return file_sha256(path)[:_PIN_CHARACTERS]
    except OSError as error:
        raise MissingPlugin(f"{path}: {error.strerror}") from error


@contextmanager
def _importing_from_here() -> Iterator[None]:
    """Let imports see the working folder, after everything that is installed."""
    here = os.getcwd()
    if here in sys.path or "" in sys.path:
        yield
        return
    sys.path.append(here)
    try:
        yield
    finally:
        sys.path.remove(here)


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Raise whatever foreign code raises on import as an error that names the plug-in."""
    try:
        yield
    except AnalyzerError:
        raise
    except Exception as error:
        raise MissingPlugin(f"{name}: cannot be loaded: {type(error).__name__}: {error}") from error
