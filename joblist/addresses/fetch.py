"""Media behind https addresses, fetched to a file: the decoder never sees an address.

An address comes from a joblist, which others may have written: it must not reach what only this
machine can reach. So every name is resolved once, here, every answer must be public, and the
connection goes to that answer, at each redirect anew. No proxy is used: it would resolve again.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any, BinaryIO
from urllib.parse import urljoin, urlsplit

from joblist.addresses.public import is_public
from joblist.addresses.rules import url_fault
from joblist.errors import FetchFailed

MAX_REDIRECTS = 3
CHUNK_BYTES = 1 << 18
REDIRECTS = (301, 302, 303, 307, 308)
PASSING = (408, 425, 429)
"""Refusals that another try may not meet; beside those from 500 on."""


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, in the order in which to try them."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in addresses))


class Fetcher:
    """Downloads media.

    Args:
        max_bytes: Size above which a medium is refused.
        limit_s: Time that one medium may take, redirects included.
        timeout_s: Silence after which a connection is given up.
        resolve: Looks up a host.
        allow: Says whether a connection to an address may be made.
        context: TLS context; by default the system's authorities are trusted.
    """

    def __init__(
        self,
        *,
        max_bytes: int,
        limit_s: float = 6 * 3600.0,
        timeout_s: float = 30.0,
        resolve: Callable[[str, int], list[str]] = resolve,
        allow: Callable[[str], bool] = is_public,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._max_bytes = max_bytes
        self._limit_s = limit_s
        self._timeout_s = timeout_s
        self._resolve = resolve
        self._allow = allow
        self._context = context or ssl.create_default_context()

    def fetch(self, url: str, file: BinaryIO, report: Callable[[Mapping[str, Any]], None]) -> None:
        """Write what stands behind an address to a file.

        Raises:
            FetchFailed: `input` when it is refused, too large or not there, `transient` when
                another try may succeed; `unknown_host` and `silent_host` where the host or this
                machine's network may be at fault.
        """
        deadline = time.monotonic() + self._limit_s
        location = url
        for _ in range(MAX_REDIRECTS + 1):
            following = self._follow(location, file, report, deadline)
            if following is None:
                return
            location = following
        raise FetchFailed("input", f"{url}: more than {MAX_REDIRECTS} redirects: give the last one")

    def _follow(
        self,
        url: str,
        file: BinaryIO,
        report: Callable[[Mapping[str, Any]], None],
        deadline: float,
    ) -> str | None:
        """Fetch, or return where a redirect leads."""
        connection = self._connection(url)
        limit = threading.Timer(max(0.0, deadline - time.monotonic()), connection.abort)
        limit.daemon = True
        limit.start()
        try:
            with _network(url, connection, "silent_host"):
                response = connection.get(url)
            with closing(response):
                if response.status in REDIRECTS:
                    return urljoin(url, response.headers.get("Location", ""))
                size = self._size(url, response)
                self._store(url, connection, response, size, file, report)
                return None
        finally:
            limit.cancel()
            connection.close()

    def _connection(self, url: str) -> _Pinned:
        """Look a host up and make sure of every answer."""
        fault = url_fault(url)
        if fault:
            raise FetchFailed("input", f"{url} {fault}")
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        try:
            answers = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            passing = getattr(error, "errno", None) == socket.EAI_AGAIN
            kind = "silent_host" if passing else "unknown_host"
            raise FetchFailed(kind, f"{url}: host {host} is not found: {error}") from error
        for answer in answers:
            if not self._allow(answer):
                raise FetchFailed(
                    "input",
                    f"{url}: {host} is {answer}, which is no public address: it is not fetched",
                )
        return _Pinned(host, port, answers, self._timeout_s, self._context)

    def _size(self, url: str, response: http.client.HTTPResponse) -> int | None:
        """Check an answer's head; return the length of its body where that is told."""
        status = response.status
        if status != 200:
            kind = "transient" if status in PASSING or status >= 500 else "input"
            raise FetchFailed(kind, f"{url}: the host answers {status} {response.reason}")
        coding = response.headers.get("Content-Encoding", "identity")
        if coding != "identity":
            raise FetchFailed("input", f"{url}: comes packed ({coding}), which was not asked for")
        self._require_room(url, response.length or 0)
        return response.length

    def _require_room(self, url: str, size: int) -> None:
        if size > self._max_bytes:
            raise FetchFailed(
                "input",
                f"{url}: larger than {self._max_bytes} bytes: download it and give the file, "
                "or raise --max_download_gb",
            )

    def _store(
        self,
        url: str,
        connection: _Pinned,
        response: http.client.HTTPResponse,
        size: int | None,
        file: BinaryIO,
        report: Callable[[Mapping[str, Any]], None],
    ) -> None:
        done = 0
        while True:
            with _network(url, connection):
                chunk = response.read1(CHUNK_BYTES)
            if not chunk:
                break
            done += len(chunk)
            self._require_room(url, done)
            file.write(chunk)
            report({"stage": "fetch", **({"fraction": done / size} if size else {})})
        file.flush()
        if connection.aborted or (size is not None and done < size):
            raise FetchFailed("transient", f"{url}: {connection.why_short} after {done} bytes")


class _Pinned(http.client.HTTPSConnection):
    """A connection to known addresses; the host's name serves for its certificate only."""

    def __init__(
        self,
        host: str,
        port: int,
        addresses: Sequence[str],
        timeout_s: float,
        context: ssl.SSLContext,
    ) -> None:
        super().__init__(host, port, timeout=timeout_s, context=context)
        self._addresses = addresses
        self._tls = context
        # `sock` is given up as soon as the answer's head is there, if the host is to hang up.
        self._line: socket.socket | None = None
        self.aborted = False

    @property
    def why_short(self) -> str:
        """Reason why the download ended early."""
        return "took too long and was given up" if self.aborted else "the connection broke off"

    def connect(self) -> None:
        """Connect to the first address that answers."""
        plain = self._plain()
        # The handshake comes later, so that `abort` can end it.
        self.sock = self._tls.wrap_socket(
            plain, server_hostname=self.host, do_handshake_on_connect=False
        )
        self._line = self.sock
        self.sock.do_handshake()

    def _plain(self) -> socket.socket:
        failure: OSError = OSError("the host has no address")
        for address in self._addresses:
            try:
                return socket.create_connection((address, self.port), self.timeout)
            except OSError as error:
                failure = error
        raise failure

    def get(self, url: str) -> http.client.HTTPResponse:
        """Send the request and wait for the head of the answer."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # Packed bodies could unpack to anything.
        self.request("GET", target, headers={"Accept-Encoding": "identity", "User-Agent": "ina"})
        return self.getresponse()

    def abort(self) -> None:
        """End it from another thread, whatever it waits for."""
        self.aborted = True
        if self._line is not None:
            # Not SSLSocket's own method, which would go on without encryption.
            with suppress(OSError):
                socket.socket.shutdown(self._line, socket.SHUT_RDWR)


@contextmanager
def _network(url: str, connection: _Pinned, kind: str = "transient") -> Iterator[None]:
    """Raise what goes wrong on the way as a `FetchFailed`, mostly of this kind."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        # Perhaps for this machine alone: its clock or its authorities are old.
        text = f"{url}: its certificate is not trusted: {error.verify_message}"
        raise FetchFailed("unknown_host", text) from error
    except (OSError, http.client.HTTPException) as error:
        if connection.aborted:
            raise FetchFailed("transient", f"{url}: {connection.why_short}") from error
        raise FetchFailed(kind, f"{url}: {str(error) or type(error).__name__}") from error
