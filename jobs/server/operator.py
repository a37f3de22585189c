"""Control of a running server by its operator: a second Pyro5 object, on a local socket.

Only users who may write to the folder of the ledger can connect, so it asks for no token.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from joblist.errors import UsageError
from jobs.errors import CallRefused
from jobs.ledger import operations
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import socket_path
from jobs.server.entry import operator_method
from jobs.server.service import JobService
from jobs.wire.calls import require_call
from jobs.wire.daemon import Daemon
from jobs.wire.transport import COMM_TIMEOUT_S, Access, CommunicationError, Proxy, configure

OBJECT_ID = "ina.operator"
CALL_TIMEOUT_S = 60.0


class Operator:
    """The calls by which an operator controls a running server.

    Arguments are as `jobs.wire.calls` has them; others never come here.
    """

    def __init__(self, service: JobService, ledger: Ledger) -> None:
        self._service = service
        self._ledger = ledger

    @operator_method
    def status(self) -> dict[str, Any]:
        """Return the counts by state, what each worker does, and why jobs are withheld."""
        return self._service.status()  # type: ignore[no-any-return]

    @operator_method
    def retry(self, jobs: Sequence[int]) -> list[int]:
        """Retry jobs; see `operations.retry`."""
        ready = operations.retry(self._ledger, jobs)
        self._service.expect_again(ready)
        return ready

    @operator_method
    def cancel(self, jobs: Sequence[int]) -> list[int]:
        """Cancel jobs; see `operations.cancel`. Workers learn of it at their next heartbeat."""
        cancelled = operations.cancel(self._ledger, jobs)
        self._service.end_cancelled(cancelled)
        return cancelled

    @operator_method
    def redo(self, bad: Sequence[tuple[int, int, str]]) -> list[int]:
        """Run jobs again; see `operations.redo`."""
        ready = operations.redo(self._ledger, bad)
        self._service.expect_again(ready)
        return ready

    @operator_method
    def accept(self, changed: Sequence[tuple[int, int, dict[str, Any]]]) -> list[int]:
        """Accept changed outputs; see `operations.accept`."""
        return operations.accept(self._ledger, changed)

    @operator_method
    def pause(self, paused: bool) -> None:
        """Stop handing out jobs, or resume it."""
        self._service.paused = paused

    @operator_method
    def drain(self) -> None:
        """Let running jobs finish, then end the server."""
        self._service.draining = True


class Door:
    """The local socket of a ledger.

    Args:
        ledger: Path of the ledger; the socket is in the same folder.

    Example:
        with closing(Door(path)) as door:
            door.call("pause", True)
    """

    def __init__(self, ledger: Path) -> None:
        self.path = socket_path(ledger)
        # A socket address has at most 108 bytes and, for Pyro5, no colons: a path may not fit.
        self._folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        self._address = f"/proc/self/fd/{self._folder}/{self.path.name}"

    def close(self) -> None:
        """Close the handle of the folder."""
        os.close(self._folder)

    def daemon(self, operator: Operator) -> Daemon:
        """Return a daemon that serves on the socket; to be called before TLS is configured."""
        # A killed server leaves the socket behind; the lock of the ledger says that it is not used.
        self.path.unlink(missing_ok=True)
        configure(Access(), role="server")
        before = os.umask(0o177)
        try:
            daemon = Daemon(access=Access(), silence_s=COMM_TIMEOUT_S, socket_path=self._address)
        finally:
            os.umask(before)
        daemon.register(operator, objectId=OBJECT_ID)
        return daemon

    def call(self, method: str, *args: Any) -> Any:
        """Call a method of `Operator` in the running server; return its answer.

        Raises:
            UsageError: No server answers, or it refuses the call.
        """
        configure(Access(), role="worker")
        try:
            require_call(method, args)
            with Proxy(f"PYRO:{OBJECT_ID}@./u:{self._address}") as proxy:
                proxy._pyroTimeout = CALL_TIMEOUT_S
                return getattr(proxy, method)(*args)
        except CommunicationError as error:
            raise UsageError(f"the server at {self.path} does not answer ({error})") from error
        except (CallRefused, ValueError, RuntimeError) as error:
            raise UsageError(f"the server at {self.path} cannot do that ({error})") from error
