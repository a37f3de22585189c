"""The packages of this project, found where they belong, before any of them is imported.

A file `joblist.py` in the working folder, or on PYTHONPATH, is found by Python instead of the
package `joblist`.
"""

import importlib.util
import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
"""Folder of all packages of this project: a clone, or the `site-packages` of an installation."""
NAMES = ("analyzer", "ina", "ina_input", "ina_web", "joblist", "jobs")
"""The packages beside this one."""


def require(*names: str) -> None:
    """Require that packages are found where they belong.

    Args:
        names: Names of the packages.

    Raises:
        SystemExit: One is missing, or hidden by another file: with its place, and the cure.
    """
    for name in names:
        fault = fault_of(name)
        if fault:
            sys.exit(f"error: {fault}")


def fault_of(name: str) -> str:
    """Return what is wrong with a package, and the cure; empty if nothing is.

    Args:
        name: Name of one of the packages.
    """
    expected = HOME / name
    if not (expected / "__init__.py").is_file():
        return (
            f"{expected} is missing, a part of this program: install it again, from a whole clone "
            "or its wheel"
        )
    place = _place(name)
    if place is None or place == expected:
        return ""
    return f"{place} hides {expected}, a part of this program: {_cure(place)}"


def _place(name: str) -> Path | None:
    """Return the folder or file that Python imports as a package; `None` if it finds none."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    if spec is None:
        return None
    if spec.origin and Path(spec.origin).name == "__init__.py":
        return Path(spec.origin).resolve().parent
    return Path(spec.origin or next(iter(spec.submodule_search_locations or ()), name)).resolve()


def _cure(place: Path) -> str:
    folders = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if any(folder and Path(folder).resolve() == place.parent for folder in folders):
        return f"rename it, or take {place.parent} out of PYTHONPATH"
    return "rename it, or start the program in another folder"
