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
    │   ├── ServerFault      the server has a fault of its own in one call
    │   └── ServerRefused    the server does not want this worker
    │       └── CallRefused  what is said is not as the schema of calls has it
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


class ServerFault(ServerError):
    """The server has met a fault of its own in one call; others go on."""


class ServerRefused(ServerError):
    """The server does not want this worker: other version, wrong token."""


class CallRefused(ServerRefused):
    """A call, or a message of a child process, is not as `jobs.wire.calls` has it.

    Nothing was done.
    """


class JobFailed(JobsError):
    """One job failed.

    Args:
        kind: `input` (final), `transient`, `resource` or `bug`. `worker` where the worker can do no
            job of this server: then it hands the job back and ends. `storage` where its storage is
            away; `missing` where a file is not there among others, and `unreachable` where its
            folder is empty or gone: whether storage or job is at fault is then to be found out.
            `unknown_host` and `silent_host`: likewise for the host of an address, or this machine's
            network.
        message: The reason, for the person who reads the report.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message

    def __reduce__(self) -> tuple[type[JobFailed], tuple[str, str]]:
        """Pickle with both arguments; the default would pass the message only."""
        return type(self), (self.kind, self.message)
