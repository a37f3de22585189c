"""Errors of this package; `joblist.errors` adds `UsageError`, which all packages raise.

::

    JobsError
    ├── LedgerError
    │   ├── LedgerRefused    this file must not be used: network disk, other version
    │   │   └── LedgerInUse  a server has it
    │   └── LedgerUnavailable   the disk is full or broken just now
    │       └── LedgerLost   the file is damaged, or was removed: it never comes back
    ├── ServerError
    │   ├── ServerGone       the server has not answered for too long
    │   └── ServerRefused    the server does not want this worker
    └── JobFailed            one job failed, for a reason that says whether to retry
"""

from __future__ import annotations


class JobsError(Exception):
    """Base of every error of this package."""


class LedgerError(JobsError):
    """Base of the errors of the ledger."""


class LedgerRefused(LedgerError):
    """This ledger file must not be used."""


class LedgerInUse(LedgerRefused):
    """A server has this ledger."""


class LedgerUnavailable(LedgerError):
    """The ledger cannot be written just now; nothing was changed."""


class LedgerLost(LedgerUnavailable):
    """The ledger was damaged or removed while it was in use; what it held is lost."""


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
