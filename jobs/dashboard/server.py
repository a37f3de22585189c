"""The web server of the page, and its rules of access.

- On this machine, reading needs no token. From other machines every answer needs the token, over
  TLS. Changes always need it, and so does all that is below the paths of other sites.
- Review pages, which others may have written, are shown in a sandbox, without access to this page.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ina_web import Site
from ina_web.server import RequestRefused, WebHandler, WebServer
from joblist.errors import UsageError
from jobs.dashboard import files, metrics
from jobs.dashboard.board import Board
from jobs.errors import LedgerUnavailable
from jobs.wire.transport import Access, is_loopback

FOLDER = Path(__file__).with_name("_page")
STATIC = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
SANDBOX = "sandbox allow-scripts allow-downloads allow-modals"
"""Policy of review pages: without the rights of this page, whatever they contain."""
MAX_CHANGES = 1000
CHUNK_BYTES = 1 << 18


class PageServer(WebServer):
    """The web server of the dashboard.

    Args:
        host: Name or address to listen on; one that other machines can reach needs certificates.
        port: TCP port; 0 for any free one.
        board: State of the joblist.
        token: Token of the operator.
        access: Certificates, if other machines may connect.
        sites: Further sites, by their paths.

    Raises:
        UsageError: The port is taken, or other machines could connect without certificates.
    """

    token_place = "it is in the file that the server names"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        board: Board,
        token: str,
        access: Access,
        sites: Mapping[str, Site],
    ) -> None:
        self.board = board
        is_local = is_loopback(host)
        context = None if is_local else _tls_context(host, access)
        super().__init__(host, port, token=token, sites=sites, is_local=is_local, context=context)


def _tls_context(host: str, access: Access) -> ssl.SSLContext:
    if not access.certs:
        raise UsageError(
            f"--dashboard {host} can be reached from other machines: give --certs DIR, "
            "or the port alone and come by `ssh -L`"
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(access.file("server.pem"), access.file("server.key"))
    except (ssl.SSLError, OSError) as error:
        raise UsageError(f"certificates in {access.certs}: {error}") from error
    return context


class Handler(WebHandler):
    """One request of a client, which was received before."""

    server: PageServer

    def read(self, path: str, query: Mapping[str, Sequence[str]]) -> None:
        """Answer a request to read."""
        try:
            self._read(path, query)
        except LedgerUnavailable as error:
            raise RequestRefused(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error

    def _read(self, path: str, query: Mapping[str, Sequence[str]]) -> None:
        if path in STATIC:
            name, content_type = STATIC[path]
            self.send_body((FOLDER / name).read_bytes(), content_type)
        elif path.startswith("/review/"):
            self._send_review(path)
        elif path == "/health":
            self.server.board.status()
            self.send_json({"status": "ok"})
        elif path in ("/api/status", "/api/jobs", "/metrics"):
            if not self.server.is_local:
                self.require_token()
            if path == "/metrics":
                self._send_metrics()
            else:
                self.send_json(self._jobs(query) if path == "/api/jobs" else self._status())
        else:
            super().read(path, query)

    def _status(self) -> dict[str, Any]:
        return {**self.server.board.status(), "pages": sorted(self.server.sites)}

    def _send_metrics(self) -> None:
        try:
            body = metrics.render(self.server.board.status())
        except UsageError as error:
            raise RequestRefused(HTTPStatus.NOT_IMPLEMENTED, str(error)) from error
        self.send_body(body, metrics.CONTENT_TYPE)

    def _jobs(self, query: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        def first(name: str, default: str) -> str:
            return query.get(name, [default])[0]

        matches = self.server.board.jobs(
            group=first("group", ""),
            text=first("q", ""),
            after=int(first("after", "0")),
            limit=int(first("limit", "100")),
        )
        return {"jobs": matches}

    def takes(self, path: str) -> bool:
        """Return whether something can be changed at a path."""
        return path in ("/api/retry", "/api/cancel") or super().takes(path)

    def change(self, path: str, plain: Any) -> None:
        """Answer a request to change something, which has the token."""
        if path not in ("/api/retry", "/api/cancel"):
            super().change(path, plain)
            return
        requested = plain.get("jobs") if isinstance(plain, dict) else None
        action, board = path.rpartition("/")[2], self.server.board
        all_failed = requested == "failed" and action == "retry"
        try:
            jobs = board.failed() if all_failed else _job_numbers(requested)
            changed = board.change(action, jobs)
        except LedgerUnavailable as error:
            raise RequestRefused(HTTPStatus.SERVICE_UNAVAILABLE, str(error)) from error
        self.send_json({"changed": changed, "asked": len(jobs)})

    def _send_review(self, address: str) -> None:
        number = self.server.board.reviews.number(address)
        job = self.server.board.job(number) if number is not None else None
        path = files.requested_file(job, address) if job else None
        content_type = files.content_type(path) if path else None
        if path is None or content_type is None:
            raise RequestRefused(
                HTTPStatus.NOT_FOUND, "there is no such review: open it from the list"
            )
        try:
            bounds = self.server.board.bounds
            root = bounds.output_root if files.is_page(path) else bounds.input_root
            file_range = files.open_range(path, self.headers.get("Range"), root)
        except OSError as error:
            raise RequestRefused(
                HTTPStatus.NOT_FOUND, f"cannot be read: {error.strerror}"
            ) from error
        if file_range is None:
            raise RequestRefused(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "no such part")
        with file_range.stream:
            self._send_range(file_range, content_type)

    def _send_range(self, file_range: files.FileRange, content_type: str) -> None:
        first, last, size = file_range.first, file_range.last, file_range.size
        is_part = file_range.length < size
        self.send_response(HTTPStatus.PARTIAL_CONTENT if is_part else HTTPStatus.OK)
        self.send_common_headers(content_type, file_range.length, policy=SANDBOX)
        self.send_header("Accept-Ranges", "bytes")
        if is_part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        left = 0 if self.command == "HEAD" else file_range.length
        for chunk in iter(partial(file_range.stream.read, CHUNK_BYTES), b""):
            if left <= 0:
                break
            self.wfile.write(chunk[:left])
            left -= len(chunk)
        if left > 0:
            # The file has become shorter: the promised bytes do not exist.
            self.close_connection = True


PageServer.handler = Handler


def _job_numbers(values: object) -> list[int]:
    """Return numbers of jobs from a request.

    Raises:
        ValueError: They are not a list of numbers, or too many.
    """
    if not isinstance(values, list) or not 0 < len(values) <= MAX_CHANGES:
        raise ValueError("no list of jobs")
    if not all(type(number) is int and 0 < number < 1 << 53 for number in values):
        raise ValueError("no numbers of jobs")
    return values
