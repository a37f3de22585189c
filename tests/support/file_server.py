"""An HTTP server on loopback, in the place of a hub of models."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Quiet:
    """A handler that says nothing on the terminal."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], file: bytes) -> Iterator[ThreadingHTTPServer]:
    """Serve a file; the server has its ``url``, and a list for what was ``asked``."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.file, server.asked = file, []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
