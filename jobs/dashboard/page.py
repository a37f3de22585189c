"""The dashboard of a running server: its web server, and the token of the operator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ina_web import Site
from jobs.dashboard.board import Board
from jobs.dashboard.server import PageServer
from jobs.ledger.ledger import Ledger
from jobs.server.operator import Operator
from jobs.server.service import JobService
from jobs.system.steady import SteadyThread
from jobs.wire.tokens import own_token
from jobs.wire.transport import Access


class Dashboard:
    """A page that shows the progress, and lets the operator retry and cancel jobs.

    Args:
        service: Service of the running server.
        ledger: Ledger of the jobs; the file with the token of the operator is in the same folder.
        host: Name or address to listen on.
        port: TCP port; 0 for any free one.
        access: Certificates, if other machines may connect.
        title: Name of the joblist.
        sample: See `Board`.
        sites: Further sites that it shows, by their paths.

    Raises:
        UsageError: The port is taken, or other machines could connect without certificates.

    Example:
        page = Dashboard(
            service, ledger, host="localhost", port=8080, access=Access(), title="jobs.csv"
        )
        print(page)
    """

    def __init__(
        self,
        service: JobService,
        ledger: Ledger,
        *,
        host: str,
        port: int,
        access: Access,
        title: str,
        sample: Callable[[], Mapping[str, Any] | None] | None = None,
        sites: Mapping[str, Site] | None = None,
    ) -> None:
        self.token_file = Path(f"{ledger.store.path}.token")
        token = own_token(self.token_file)
        self._board = Board(
            Operator(service, ledger),
            ledger.store,
            title=title,
            bounds=service.bounds,
            sample=sample,
        )
        try:
            self._server = PageServer(
                host, port, board=self._board, token=token, access=access, sites=sites or {}
            )
        except BaseException:
            self._board.close()
            raise
        self.url = self._server.url
        self.thread = SteadyThread(self._server.serve_forever, name="dashboard")
        self.thread.start()

    def __str__(self) -> str:
        """Return the address, and the file with its token, as text."""
        return f"dashboard: {self.url} (token: {self.token_file})"

    def close(self) -> None:
        """Stop answering."""
        self.thread.end()
        self._server.shutdown()
        self.thread.join()
        self._server.server_close()
        self._board.close()
