"""Where a journal may lie: it is appended to, and so must be no file of its job."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from joblist.errors import UsageError
from joblist.model import JobSpec


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
