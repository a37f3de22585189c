"""The analysis, for commands that must know its options, and not only pass them on.

This package knows nothing of the work of a job: it finds the class by its name, as workers find
their task, and asks it through one protocol.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from joblist.clashes import Reserved
from joblist.errors import UsageError
from joblist.model import JobSpec
from joblist.shard import Shard

if TYPE_CHECKING:
    import argparse

MODULE, CLASS = "ina.analysis", "FilmAnalysis"
"""Where the class stands that fulfils the protocol."""


@dataclass(frozen=True)
class Settled:
    """Options that were read and found right."""

    options: Mapping[str, Any]
    digest: str
    """Of those that change results."""


class Analysis(Protocol):
    """The analysis. Its methods raise UsageError where a user is wrong."""

    FACTORY: str
    """`module:function` that makes the task."""
    PROGRAM: str
    """Version."""

    def models(self) -> Mapping[str, str]:
        """Return the hashes of the models by name."""
        ...

    def exporters(self) -> Sequence[str]:
        """Return the names that a `dest_` column may have."""
        ...

    def add_arguments(self, group: Any) -> None:
        """Add every option to a parser or group."""
        ...

    def settle(self, args: argparse.Namespace) -> Settled:
        """Read the options."""
        ...

    def reserved(self, args: argparse.Namespace, options: Mapping[str, Any]) -> Reserved:
        """Return the files that the options name, and how to find those of a gallery."""
        ...

    def check(self, spec: JobSpec, options: Mapping[str, Any]) -> JobSpec:
        """Return a job that can be done with these options."""
        ...

    def shards(
        self, count: int | None, minutes: float | None, options: Mapping[str, Any]
    ) -> list[Shard]:
        """Return the shards that a user asks for."""
        ...

    def length_s(self, source: str, options: Mapping[str, Any]) -> float:
        """Return how long a medium is, in seconds; 0 where that cannot be known."""
        ...

    def add_identities(self, group: Any) -> None:
        """Add what `identities` reads to a parser or group."""
        ...

    def identities(
        self, args: argparse.Namespace, options: Mapping[str, Any], *, written: bool
    ) -> Mapping[str, Any]:
        """Return the store in which people are remembered across jobs; empty without one.

        Its `machine` names the only machine with tasks that may use it, or is None.

        Args:
            args: Arguments that `add_identities` has added.
            options: Options of the analysis.
            written: Whether the answer is to stand in a file: then it holds no secret.

        Raises:
            JobFailed: The store is away just now.
        """
        ...

    def private(self, store: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what leases tell tasks of what `identities` has returned."""
        ...

    def known(self, store: Mapping[str, Any]) -> str:
        """Return in words what is remembered at the place that `identities` has returned."""
        ...


def load_analysis() -> Analysis:
    """Return the analysis that is installed beside this package.

    Raises:
        UsageError: None is.
    """
    try:
        return cast(Analysis, getattr(importlib.import_module(MODULE), CLASS)())
    except ModuleNotFoundError as error:
        if error.name not in ("ina", MODULE):
            raise
        raise UsageError(
            f"{MODULE} is not installed beside this command: install the package"
        ) from error
