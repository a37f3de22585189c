"""Requests of the page as bytes: when one is whole, and how its answer is sent."""

from __future__ import annotations

import io
import re
import socket
import time
from typing import Any

from ina_web.gate import BadRequest
from joblist.errors import UsageError

ANSWER_S = 30.0
"""Time that a client may take for a piece of an answer."""
MAX_BODY_BYTES = 1 << 16
MAX_HEAD_BYTES = 1 << 16
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,18})[ \t]*\r\n", re.IGNORECASE)
NO_HTTP = (
    b"HTTP/1.1 400 Bad Request\r\nServer: ina\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
)


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        UsageError: The port is taken.
    """
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # IPv4 if there is a choice: browsers try both addresses of localhost.
    family, *_, address = min(addresses, key=lambda entry: entry[0])
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((str(address[0]), port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise UsageError(
            f"cannot show a page on {host}:{port} ({error.strerror}): give another port"
        ) from error
    return listener


def measure_request(received: bytearray) -> int:
    """Return the length of an HTTP request with its body, if it is whole; see `Gate`.

    Raises:
        BadRequest: Its head is too long, or it is no HTTP.
    """
    end = received.find(b"\r\n\r\n")
    if end < 0:
        if len(received) > MAX_HEAD_BYTES or not received[:1].isalpha():
            raise BadRequest(NO_HTTP)
        return 0
    head, size = end + 4, 0
    if match := CONTENT_LENGTH.search(received, 0, head):
        size = int(match[1])
    # A longer body is refused by its head, and not read.
    length = head + (size if size <= MAX_BODY_BYTES else 0)
    return length if len(received) >= length else 0


class AnswerStream(io.RawIOBase):
    """Writes to a client; each piece must be taken within `ANSWER_S`."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__()
        self._sock = sock

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Any) -> int:
        """Write all of it."""
        deadline = time.monotonic() + ANSWER_S
        left = memoryview(data)
        while left:
            self._sock.settimeout(max(0.001, deadline - time.monotonic()))
            left = left[self._sock.send(left) :]
        return len(data)
