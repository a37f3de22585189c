"""The web server of the page, and its rules of access.

- On this machine, reading needs no token. From other machines every answer needs the token, over
  TLS. Changes always need it. It is in a header, which no other site can make a browser send.
- A name in `Host` that is not a name of this server is refused: the name of another site may lead
  to this machine.
- Scripts and styles are files of this server only. Review pages, which others may have written, are
  shown in a sandbox, without access to this page.
"""

from __future__ import annotations

import hmac
import io
import ipaddress
import json
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ina_input import documents
from joblist.errors import UsageError
from jobs.dashboard import files, metrics
from jobs.dashboard.board import Board
from jobs.dashboard.exchange import MAX_BODY_BYTES, AnswerStream, listen, measure_request
from jobs.errors import LedgerUnavailable
from jobs.wire.gate import Caller, Gate
from jobs.wire.transport import Access, is_loopback

log = logging.getLogger(__name__)
FOLDER = Path(__file__).with_name("_page")
STATIC = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
SANDBOX = "sandbox allow-scripts allow-downloads allow-modals"
"""Policy of review pages: without the rights of this page, whatever they contain."""
MAX_CHANGES = 1000
CHUNK_BYTES = 1 << 18
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


class RequestRefused(Exception):
    """A request that is refused.

    Args:
        status: HTTP status of the answer.
        message: Description of the fault and its cure.
    """

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class PageServer:
    """The web server; a client has a thread while it is answered, and none while it is silent.

    Args:
        host: Name or address to listen on; one that other machines can reach needs certificates.
        port: TCP port; 0 for any free one.
        board: State of the joblist.
        token: Token of the operator.
        access: Certificates, if other machines may connect.

    Raises:
        UsageError: The port is taken, or other machines could connect without certificates.
    """

    def __init__(self, host: str, port: int, *, board: Board, token: str, access: Access) -> None:
        self.board = board
        self.token = token
        self.is_local = is_loopback(host)
        own = {host, socket.gethostname(), socket.getfqdn()}
        self.names = LOCAL_NAMES if self.is_local else frozenset(map(str.lower, own))
        context = None if self.is_local else _tls_context(host, access)
        self._listener = listen(host, port)
        self._gate = Gate(
            self._listener, measure=measure_request, serve=self._serve, context=context
        )
        scheme = "https" if context else "http"
        name = f"[{host}]" if ":" in host else host
        self.url = f"{scheme}://{name}:{self._listener.getsockname()[1]}/"

    def serve_forever(self) -> None:
        """Answer until `shutdown` is called."""
        self._gate.run()

    def shutdown(self) -> None:
        """Stop answering, and hang up."""
        self._gate.stop()

    def server_close(self) -> None:
        """Stop listening."""
        self._listener.close()

    def _serve(self, caller: Caller, request: bytes) -> bool:
        thread = threading.Thread(target=self._answer, args=(caller, request), daemon=True)
        thread.start()
        return True

    def _answer(self, caller: Caller, request: bytes) -> None:
        stays = False
        try:
            stays = not Handler(caller, self, request).close_connection
        except OSError as error:
            log.debug("a client of the dashboard was disconnected: %s", error)
        except Exception as error:
            log.warning("a request to the dashboard: %s: %s", type(error).__name__, error)
        finally:
            self._gate.leave(caller, stays=stays)


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


class Handler(BaseHTTPRequestHandler):
    """One request of a client, which was received before."""

    server: PageServer  # type: ignore[assignment]
    server_version, sys_version = "ina", ""
    protocol_version = "HTTP/1.1"

    def __init__(self, caller: Caller, server: PageServer, request: bytes) -> None:
        self._request = request
        super().__init__(caller.sock, (caller.peer, 0), server)  # type: ignore[arg-type]

    def setup(self) -> None:
        """Read from what was received, and write within a time."""
        self.rfile = io.BytesIO(self._request)
        self.wfile = AnswerStream(self.request)  # type: ignore[assignment]

    def handle(self) -> None:
        """Answer the request."""
        self.close_connection = True
        self.handle_one_request()

    def finish(self) -> None:
        """Leave the connection open."""

    def do_GET(self) -> None:
        """Answer a request to read."""
        self._answer(self._get)

    def do_HEAD(self) -> None:
        """Answer with the headers of `GET` only."""
        self._answer(self._get)

    def do_POST(self) -> None:
        """Answer a request to change something."""
        self._answer(self._post)

    def _answer(self, action: Callable[[str, Mapping[str, list[str]]], None]) -> None:
        try:
            self._require_host()
            address = urlsplit(self.path)
            action(address.path, parse_qs(address.query))
        except RequestRefused as refusal:
            self.close_connection = True
            self._json({"error": refusal.message}, status=refusal.status)
        except LedgerUnavailable as error:
            self._json({"error": str(error)}, status=HTTPStatus.SERVICE_UNAVAILABLE)
        except ValueError:
            self.close_connection = True
            self._json({"error": "not a request of this page"}, status=HTTPStatus.BAD_REQUEST)

    def _require_host(self) -> None:
        """Refuse a request for another host name: another site may have its name lead here."""
        host = urlsplit(f"//{self.headers.get('Host', '')}").hostname or ""
        # An address needs no look-up that could lead here from another site; a server for this
        # machine only accepts its local addresses.
        is_own = host in self.server.names or (not self.server.is_local and _is_address(host))
        if not is_own:
            raise RequestRefused(
                HTTPStatus.MISDIRECTED_REQUEST, f"this is not {host!r}: open {self.server.url}"
            )

    def _require_token(self) -> None:
        offered = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(offered.encode("utf-8", "replace"), self.server.token.encode()):
            fault = "is wrong" if offered else "is missing"
            raise RequestRefused(
                HTTPStatus.UNAUTHORIZED,
                f"the operator's token {fault}: it is in the file that the server names",
            )

    def _get(self, path: str, query: Mapping[str, list[str]]) -> None:
        if path in STATIC:
            name, content_type = STATIC[path]
            self._send((FOLDER / name).read_bytes(), content_type)
        elif path.startswith("/review/"):
            self._send_review(path)
        elif path == "/health":
            self.server.board.status()
            self._json({"status": "ok"})
        elif path in ("/api/status", "/api/jobs", "/metrics"):
            if not self.server.is_local:
                self._require_token()
            if path == "/metrics":
                self._send_metrics()
            else:
                self._json(self._jobs(query) if path == "/api/jobs" else self.server.board.status())
        else:
            raise RequestRefused(HTTPStatus.NOT_FOUND, "there is no such page")

    def _send_metrics(self) -> None:
        try:
            body = metrics.render(self.server.board.status())
        except UsageError as error:
            raise RequestRefused(HTTPStatus.NOT_IMPLEMENTED, str(error)) from error
        self._send(body, metrics.CONTENT_TYPE)

    def _jobs(self, query: Mapping[str, list[str]]) -> dict[str, Any]:
        def first(name: str, default: str) -> str:
            return query.get(name, [default])[0]

        matches = self.server.board.jobs(
            group=first("group", ""),
            text=first("q", ""),
            after=int(first("after", "0")),
            limit=int(first("limit", "100")),
        )
        return {"jobs": matches}

    def _post(self, path: str, _query: Mapping[str, list[str]]) -> None:
        # Read first in any case: an answer before the end of a request may be lost.
        body = self._read_body()
        if path not in ("/api/retry", "/api/cancel"):
            raise RequestRefused(HTTPStatus.NOT_FOUND, "there is no such page")
        self._require_token()
        if self.headers.get_content_type() != "application/json":
            raise RequestRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        plain = documents.parse(body)
        requested = plain.get("jobs") if isinstance(plain, dict) else None
        action, board = path.rpartition("/")[2], self.server.board
        all_failed = requested == "failed" and action == "retry"
        jobs = board.failed() if all_failed else _job_numbers(requested)
        self._json({"changed": board.change(action, jobs), "asked": len(jobs)})

    def _read_body(self) -> bytes:
        size = int(self.headers.get("Content-Length", "-1"))
        if not 0 <= size <= MAX_BODY_BYTES:
            raise RequestRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "name at most 1,000 jobs")
        return self.rfile.read(size)

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
        self._send_headers(content_type, file_range.length, policy=SANDBOX)
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

    def _json(self, plain: object, *, status: HTTPStatus = HTTPStatus.OK) -> None:
        body = json.dumps(plain, allow_nan=False).encode("ascii")
        self._send(body, "application/json", status=status)

    def _send(self, body: bytes, content_type: str, *, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self._send_headers(content_type, len(body), policy=POLICY)
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _send_headers(self, content_type: str, size: int, *, policy: str) -> None:
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(size))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        if self.close_connection:
            self.send_header("Connection", "close")

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Answer an invalid request, without repeating any of it."""
        self.close_connection = True
        self._json({"error": HTTPStatus(code).phrase}, status=HTTPStatus(code))

    def log_message(self, format: str, *args: Any) -> None:
        """Log requests for debugging only."""
        log.debug(format, *args)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


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
