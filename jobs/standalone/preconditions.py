"""What a job without a server requires before it begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from joblist.errors import UsageError
from joblist.model import JobSpec
from jobs.system.mounts import network_type


def require_apart(journal: Path, spec: JobSpec, files: Mapping[str, str]) -> None:
    """Refuse a journal that is a file of the job, into which it would write.

    Args:
        journal: Path of the journal.
        spec: The job.
        files: Further files that the job uses, by path, and what each is.

    Raises:
        UsageError: It is one.
    """
    uses = {
        **files,
        **dict.fromkeys(spec.read_paths(), "the medium, or a file beside it"),
        **({spec.corrections: "the file of corrections"} if spec.corrections else {}),
        **{path: f"dest_{name}, too" for name, path in spec.dests.items()},
    }
    for path, what in uses.items():
        if _is_same(str(journal), path):
            raise UsageError(f"--journal {journal} is {what}: name another file")


def _is_same(path: str, other: str) -> bool:
    """Return whether two paths lead to one file, by links of either kind."""
    with suppress(OSError):
        if os.path.samefile(path, other):
            return True
    return os.path.realpath(path) == os.path.realpath(other)


def require_one_machine(identities: Mapping[str, Any], csv: str) -> None:
    """Refuse an identity store of this machine where other machines may run jobs of the same list.

    An engine does not tell on how many machines it runs its jobs. Results on a network disk are a
    sign of several; each of them would remember persons of its own.

    Args:
        identities: Identity store, as the analysis describes it.
        csv: Path of the result.

    Raises:
        UsageError: Other machines may run jobs, too.
    """
    kind = network_type(Path(csv))
    if kind and identities.get("machine"):
        raise UsageError(
            f"{csv} is on a file system of type {kind}, for several machines, and this identity "
            "store is for one: give --identities redis://HOST:6379"
        )
