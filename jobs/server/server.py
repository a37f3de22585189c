"""The server process: the service on its sockets, and the threads beside it."""

from __future__ import annotations

import logging
import socket
import threading
from pathlib import Path

from jobs.errors import LedgerUnavailable
from jobs.server.entry import AWAY
from jobs.server.operator import Door, Operator
from jobs.server.service import JobService
from jobs.system.steady import SteadyThread
from jobs.types import OBJECT_ID
from jobs.wire import tokens
from jobs.wire.daemon import Daemon
from jobs.wire.transport import (
    COMM_TIMEOUT_S,
    Access,
    configure,
    require_descriptors,
    require_free,
    require_safe,
)

log = logging.getLogger(__name__)


class JobServer:
    """The service on its port, and the thread that takes expired leases back.

    Args:
        service: Service for the workers.
        host: Name or address to listen on; one that other machines can reach needs a token and
            certificates.
        port: TCP port; 0 for any free one.
        access: Token and certificates.
        makes_token: Whether the server makes a token of its own, which workers of the same user on
            the same machine find.

    Raises:
        UsageError: The port is taken, other machines could connect without a token, or a token
            cannot be made.
    """

    def __init__(
        self,
        service: JobService,
        *,
        host: str,
        port: int,
        access: Access | None = None,
        makes_token: bool = False,
    ) -> None:
        access = access or Access()
        require_safe(host, access)
        require_descriptors()
        require_free(host, port)
        self._door = Door(service.ledger.store.path)
        self._operator_daemon = self._door.daemon(Operator(service, service.ledger))
        silence_s = max(COMM_TIMEOUT_S, 3 * service.timing.beat_s)
        configure(access, role="server", comm_timeout_s=silence_s)
        self._service = service
        self._stop = threading.Event()
        self._daemon = Daemon(host, port, access=access, silence_s=silence_s)
        self._daemon.register(service, objectId=OBJECT_ID)
        address, port, *_ = self._daemon.transportServer.sock.getsockname()
        self._token_file: Path | None = None
        if makes_token:
            self._token_file, self._daemon.token = tokens.make(address, port)
        self.uri = f"PYRO:{OBJECT_ID}@{_reachable(host)}:{port}"
        self.threads = [
            SteadyThread(self._daemon.requestLoop, name="requests"),
            SteadyThread(self._operator_daemon.requestLoop, name="operator"),
            SteadyThread(self._expire_leases, name="reaper"),
            SteadyThread(self._watch_storage, name="storage"),
        ]
        """The threads beside the caller's; `jobs.system.steady.revive_dead` watches over them."""

    def start(self) -> None:
        """Start to answer."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """Stop answering."""
        for thread in self.threads:
            thread.end()
        self._stop.set()
        # First nobody is greeted any more: without the file, a worker would be refused for good.
        self._daemon.stop_greeting()
        if self._token_file:
            self._token_file.unlink(missing_ok=True)
        self._service.storage.stop()
        self._operator_daemon.shutdown()
        self._door.close()
        self._daemon.shutdown()
        for thread in self.threads:
            thread.join()

    def _watch_storage(self) -> None:
        self._service.storage.run(self._service.remove_part_files)

    def _expire_leases(self) -> None:
        while not self._stop.wait(min(1.0, self._service.timing.beat_s / 2)):
            try:
                self._service.tick()
            except LedgerUnavailable as error:
                if AWAY.is_due(str(error)):
                    log.warning("%s", error)


def _reachable(host: str) -> str:
    """Return a name by which workers can reach a server that listens on a host."""
    if host in ("0.0.0.0", "::"):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
