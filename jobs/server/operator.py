"""The operator's side of a running server: a second Pyro5 object, on a local socket.

Only who may write to the ledger's folder reaches it, so it asks for no token.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

from joblist.errors import UsageError
from jobs.ledger import operations
from jobs.ledger.ledger import Ledger
from jobs.server.service import JobService
from jobs.wire.transport import Access, CommunicationError, Daemon, Proxy, configure, expose

OBJECT_ID = "ina.operator"
CALL_TIMEOUT_S = 60.0


@expose
class Operator:
    """What an operator may ask of a running server."""

    def __init__(self, service: JobService, ledger: Ledger) -> None:
        self._service = service
        self._ledger = ledger

    def status(self) -> dict[str, Any]:
        """Return the counts, what each worker does, and why jobs are withheld."""
        return self._service.status()  # type: ignore[no-any-return]

    def retry(self, jobs: Sequence[int]) -> list[int]:
        """See operations.retry."""
        return operations.retry(self._ledger, jobs)

    def cancel(self, jobs: Sequence[int]) -> list[int]:
        """See operations.cancel; workers hear of it at their next heartbeat."""
        cancelled = operations.cancel(self._ledger, jobs)
        self._service.forget(cancelled)
        return cancelled

    def redo(self, bad: Sequence[tuple[int, int, str]]) -> list[int]:
        """See operations.redo."""
        return operations.redo(self._ledger, bad)

    def accept(self, changed: Sequence[tuple[int, int, dict[str, Any]]]) -> list[int]:
        """See operations.accept."""
        return operations.accept(self._ledger, changed)

    def pause(self, paused: bool) -> None:
        """Pause or resume the handing out of jobs."""
        self._service.paused = paused

    def drain(self) -> None:
        """Let running jobs finish, and end."""
        self._service.draining = True


class Door:
    """The local socket of a ledger.

    Args:
        ledger: The socket stands beside it.
    """

    def __init__(self, ledger: Path) -> None:
        name = blake2b(os.fsencode(ledger.name), digest_size=6).hexdigest()
        self.path = ledger.absolute().with_name(f"{name}.sock")
        # The address of a socket has 108 bytes and, in Pyro5's, no colons; paths have more.
        self._folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        self._address = f"/proc/self/fd/{self._folder}/{self.path.name}"

    def close(self) -> None:
        """Forget the folder."""
        os.close(self._folder)

    def daemon(self, operator: Operator) -> Daemon:
        """Return a daemon that serves on the socket; call it before TLS is configured."""
        # A killed server leaves it behind; the lock of the ledger says that no server has it.
        self.path.unlink(missing_ok=True)
        configure(Access(), role="server")
        before = os.umask(0o177)
        try:
            daemon = Daemon(access=Access(), socket_path=self._address)
        finally:
            os.umask(before)
        daemon.register(operator, objectId=OBJECT_ID)
        return daemon

    def call(self, verb: str, *args: Any) -> Any:
        """Ask the running server.

        Raises:
            UsageError: None answers.
        """
        configure(Access(), role="worker")
        try:
            with Proxy(f"PYRO:{OBJECT_ID}@./u:{self._address}") as proxy:
                proxy._pyroTimeout = CALL_TIMEOUT_S
                return getattr(proxy, verb)(*args)
        except CommunicationError as error:
            raise UsageError(f"the server at {self.path} does not answer ({error})") from error
