"""Hosts on loopback: of media, with a certificate of its own authority, and of models."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from joblist.addresses.fetch import Fetcher
from joblist.addresses.public import is_public
from jobs.wire import certificates

HOST = "films.test"
FILM = bytes(range(256)) * 4000


class QuietHandler:
    """A handler that writes nothing on the terminal."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Handler(QuietHandler, BaseHTTPRequestHandler):
    """Answers by path."""

    def do_GET(self) -> None:
        name, _, argument = self.path.strip("/").partition("/")
        getattr(self, f"send_{name}", self.send_status)(argument or name)

    def send_film(self, _: str) -> None:
        self.head(200, Content_Length=len(self.server.film))  # type: ignore[attr-defined]
        self.wfile.write(self.server.film)  # type: ignore[attr-defined]

    def send_status(self, code: str) -> None:
        self.head(int(code))

    def send_to(self, address: str) -> None:
        self.head(302, Location=address)

    def send_hops(self, left: str) -> None:
        self.head(307, Location=f"/hops/{int(left) - 1}" if int(left) > 1 else "/film")

    def send_large(self, _: str) -> None:
        self.head(200, Content_Length=10**12)

    def send_endless(self, _: str) -> None:
        self.head(200)
        while True:
            self.wfile.write(FILM)

    def send_short(self, _: str) -> None:
        self.head(200, Content_Length=len(FILM) + 1)
        self.wfile.write(FILM)

    def send_packed(self, _: str) -> None:
        self.head(200, Content_Encoding="gzip")

    def send_drops(self, _: str) -> None:
        self.head(200, Content_Length=len(FILM))
        self.drip()

    def send_slowhead(self, _: str) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
        self.drip()

    def send_silence(self, _: str) -> None:
        time.sleep(20)

    def drip(self) -> None:
        while True:
            self.wfile.write(b".")
            self.wfile.flush()
            time.sleep(0.02)

    def head(self, code: int, **fields: Any) -> None:
        self.send_response(code)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True
    film = FILM

    def handle_error(self, *_: Any) -> None:
        """Clients hang up; that is what is tested."""


@contextmanager
def hosting(folder: Path, *, film: bytes = FILM, name: str = HOST) -> Iterator[tuple[str, Path]]:
    """Serve; yield the base address and the folder with ca.pem."""
    certificates.make(folder / "certs", hosts=[name])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certs" / "server.pem", folder / "certs" / "server.key")
    server = QuietServer(("127.0.0.1", 0), Handler)
    server.film = film
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"https://{HOST}:{server.server_address[1]}", folder / "certs"
    finally:
        server.shutdown()
        server.server_close()


def fetcher(
    certs: Path, *, answers: dict[str, list[str]] | None = None, **settings: Any
) -> Fetcher:
    """One that trusts the authority, and for which loopback is public."""
    addresses = {HOST: ["127.0.0.1"], **(answers or {})}
    return Fetcher(
        **{
            "max_bytes": 10_000_000,
            "resolve": lambda host, port: addresses.get(host, [host]),
            "allow": lambda address: address == "127.0.0.1" or is_public(address),
            "context": ssl.create_default_context(cafile=str(certs / "ca.pem")),
            **settings,
        }
    )


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], file: bytes) -> Iterator[ThreadingHTTPServer]:
    """Serve a file; the server has its `url`, and a list for what was `asked`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.file, server.asked = file, []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
