"""A web server, and its rules of access.

- Changes always need the token, and so does what sites read. It is in a header, which no other site
  can make a browser send.
- A name in `Host` that is not a name of this server is refused: the name of another site may lead
  to this machine.
- Scripts and styles are those of this server only.
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
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from ina_input import documents
from ina_web import Site
from ina_web.answer import SiteAnswer
from ina_web.exchange import MAX_BODY_BYTES, AnswerStream, listen, measure_request
from ina_web.gate import Caller, Gate

log = logging.getLogger(__name__)
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)


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


class WebServer:
    """The web server; a client has a thread while it is answered, and none while it is silent.

    Args:
        host: Name or address to listen on.
        port: TCP port; 0 for any free one.
        token: Token of those who may change things.
        sites: Path of each site -> the site.
        is_local: Whether only this machine can reach it.
        context: TLS, without which only this machine should reach it.

    Raises:
        UsageError: The port is taken.
    """

    handler: ClassVar[type[WebHandler]]
    token_place: ClassVar[str] = "it is in the address that the program names"

    def __init__(
        self,
        host: str,
        port: int,
        *,
        token: str,
        sites: Mapping[str, Site],
        is_local: bool = True,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self.token = token
        self.sites = sites
        self.is_local = is_local
        own = {host, socket.gethostname(), socket.getfqdn()}
        self.names = LOCAL_NAMES if is_local else frozenset(map(str.lower, own))
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
            stays = not self.handler(caller, self, request).close_connection
        except OSError as error:
            log.debug("a client of the page was disconnected: %s", error)
        except Exception as error:
            log.warning("a request to the page: %s: %s", type(error).__name__, error)
        finally:
            self._gate.leave(caller, stays=stays)


class WebHandler(BaseHTTPRequestHandler):
    """One request of a client, which was received before."""

    server: WebServer  # type: ignore[assignment]
    server_version, sys_version = "ina", ""
    protocol_version = "HTTP/1.1"

    def __init__(self, caller: Caller, server: WebServer, request: bytes) -> None:
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
        self._answer(self.read)

    def do_HEAD(self) -> None:
        """Answer with the headers of `GET` only."""
        self._answer(self.read)

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
            self.send_json({"error": refusal.message}, status=refusal.status)
        except ValueError:
            self.close_connection = True
            self.send_json({"error": "not a request of this page"}, status=HTTPStatus.BAD_REQUEST)

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

    def require_token(self) -> None:
        """Refuse a request without the token."""
        offered = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not hmac.compare_digest(offered.encode("utf-8", "replace"), self.server.token.encode()):
            fault = "is wrong" if offered else "is missing"
            raise RequestRefused(
                HTTPStatus.UNAUTHORIZED, f"the operator's token {fault}: {self.server.token_place}"
            )

    # What subclasses add to

    def read(self, path: str, query: Mapping[str, Sequence[str]]) -> None:
        """Answer a request to read."""
        site, what = self._site(path)
        if what:
            self.require_token()
            self._send_answer(site.read(what, query))
        else:
            self._send_answer(site.page())

    def takes(self, path: str) -> bool:
        """Return whether something can be changed at a path."""
        return bool(self._site(path)[1])

    def change(self, path: str, plain: Any) -> None:
        """Answer a request to change something, which has the token."""
        site, what = self._site(path)
        if not isinstance(plain, dict):
            raise ValueError("no object")
        self._send_answer(site.change(what, plain))

    # What they use

    def _site(self, path: str) -> tuple[Site, str]:
        """Return the site of a path, and what stands behind that of the site."""
        for own, site in self.server.sites.items():
            if path == own or path.startswith(f"{own}/"):
                return site, path[len(own) + 1 :]
        raise RequestRefused(HTTPStatus.NOT_FOUND, "there is no such page")

    def _post(self, path: str, _query: Mapping[str, list[str]]) -> None:
        # Read first in any case: an answer before the end of a request may be lost.
        body = self._read_body()
        if not self.takes(path):
            raise RequestRefused(HTTPStatus.NOT_FOUND, "there is no such page")
        self.require_token()
        if self.headers.get_content_type() != "application/json":
            raise RequestRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send application/json")
        self.change(path, documents.parse(body))

    def _read_body(self) -> bytes:
        size = int(self.headers.get("Content-Length", "-1"))
        if not 0 <= size <= MAX_BODY_BYTES:
            raise RequestRefused(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"send at most {MAX_BODY_BYTES} bytes"
            )
        return self.rfile.read(size)

    def send_json(self, plain: object, *, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Answer with values."""
        body = json.dumps(plain, allow_nan=False).encode("ascii")
        self.send_body(body, "application/json", status=status)

    def _send_answer(self, answer: SiteAnswer) -> None:
        self.send_body(answer.body, answer.content_type, policy=answer.policy or POLICY)

    def send_body(
        self,
        body: bytes,
        content_type: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        policy: str = POLICY,
    ) -> None:
        """Answer with a document of this server."""
        self.send_response(status)
        self.send_common_headers(content_type, len(body), policy=policy)
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def send_common_headers(self, content_type: str, size: int, *, policy: str) -> None:
        """Begin an answer with the headers that all have."""
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
        self.send_json({"error": HTTPStatus(code).phrase}, status=HTTPStatus(code))

    def log_message(self, format: str, *args: Any) -> None:
        """Log requests for debugging only."""
        log.debug(format, *args)


WebServer.handler = WebHandler


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
