"""What can go wrong with jobs.

::

    JobsError
    ├── UsageError           the command cannot be carried out as given
    │   └── JoblistError     rows of the joblist are wrong
    ├── LedgerError
    │   ├── LedgerRefused    this file must not be used: network disk, other version
    │   │   └── LedgerInUse  a server has it
    │   └── LedgerUnavailable   the disk is full or broken just now
    ├── ServerError
    │   ├── ServerGone       the server has not answered for too long
    │   └── ServerRefused    the server does not want this worker
    └── JobFailed            one job failed, for a reason that says whether to retry
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

SHOWN_PROBLEMS = 50


class JobsError(Exception):
    """Base of every error of this package."""


class UsageError(JobsError):
    """The command cannot be carried out as given."""


class Problem(NamedTuple):
    """Something wrong with a joblist."""

    line: int
    """Line of the file, from 1."""
    text: str
    """What is wrong, and the cure."""


class JoblistError(UsageError):
    """Rows of a joblist are wrong; nothing of it was imported.

    Args:
        path: The joblist.
        problems: Everything found, with line numbers.
        more: Number of further problems that were not kept.
    """

    def __init__(self, path: str, problems: Sequence[Problem], *, more: int = 0) -> None:
        self.path = path
        self.problems = list(problems)
        lines = [f"{path}:{p.line}: {p.text}" for p in self.problems[:SHOWN_PROBLEMS]]
        hidden = more + max(0, len(self.problems) - SHOWN_PROBLEMS)
        if hidden:
            lines.append(f"{path}: and {hidden} more")
        super().__init__("\n".join(lines))


class LedgerError(JobsError):
    """Base of the errors of the ledger."""


class LedgerRefused(LedgerError):
    """This ledger file must not be used."""


class LedgerInUse(LedgerRefused):
    """A server has this ledger."""


class LedgerUnavailable(LedgerError):
    """The ledger cannot be written just now; nothing was changed."""


class ServerError(JobsError):
    """Base of the errors of a worker's connection to its server."""


class ServerGone(ServerError):
    """The server has not answered for too long."""


class ServerRefused(ServerError):
    """The server does not want this worker: other version, wrong token."""


class JobFailed(JobsError):
    """One job failed.

    Args:
        kind: `input` (final), `transient`, `resource` or `bug`; or `worker` where the worker can do
            no job of this server: then it hands the job back and ends.
        message: The reason, for the person who reads the report.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message

    def __reduce__(self) -> tuple[type[JobFailed], tuple[str, str]]:
        """Pickle with both arguments; the default would pass the message only."""
        return type(self), (self.kind, self.message)
