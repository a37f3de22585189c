"""The programs of an installation: each looks first whether all its packages are there."""

import importlib

from ina_cli import modules


def ina() -> int:
    """Start `ina`; return its exit code."""
    return _start("ina.__main__")


def ina_server() -> int:
    """Start `ina_server`; return its exit code."""
    return _start("ina_server")


def ina_worker() -> int:
    """Start `ina_worker`; return its exit code."""
    return _start("ina_worker")


def ina_analyzer() -> int:
    """Start `ina-analyzer`; return its exit code."""
    return _start("analyzer.__main__")


def ina_jobs() -> int:
    """Start `ina-jobs`; return its exit code."""
    return _start("jobs.__main__")


def _start(module: str) -> int:
    modules.require(*modules.NAMES)
    return int(importlib.import_module(module).main())
