"""Messages of a connection: checked at the header, whole within a time, or refused."""

from __future__ import annotations

import socket
import time

from jobs.wire.codec import JSON_ID
from jobs.wire.pyro import Pyro5

HEADER_BYTES = 40
HANDSHAKE_BYTES = 4096
"""Longest message of a peer that has not shown its token."""
MAX_MESSAGE_BYTES = 1 << 20
CHUNK_BYTES = 1 << 16
REQUEST_S = 30.0
"""Time for a whole request, from its first byte, and for a whole answer."""
PLAIN_FLAGS = Pyro5.protocol.FLAGS_CORR_ID


def read_header(header: bytes, *, kind: int, limit: int) -> int:
    """Return the length of a message, header and all.

    Args:
        header: Its first `HEADER_BYTES`.
        kind: Pyro5's number of the only kind of message that is accepted here.
        limit: Bytes that it may have behind its header.

    Raises:
        ProtocolError: It is of another kind, too long, or in another form than JSON.
    """
    message = Pyro5.protocol.ReceivingMessage(header)
    if message.type != kind:
        raise Pyro5.errors.ProtocolError("a message that is out of place")
    if message.serializer_id != JSON_ID:
        raise Pyro5.errors.ProtocolError(
            "only JSON is spoken here: install the same version of this program on both sides"
        )
    if message.flags & ~PLAIN_FLAGS or message.annotations_size:
        raise Pyro5.errors.ProtocolError(
            "compressed, batched and annotated messages are not accepted"
        )
    if message.data_size > limit:
        raise Pyro5.errors.ProtocolError(
            f"message too large ({message.data_size} bytes, {limit} at most)"
        )
    return HEADER_BYTES + int(message.data_size)


class Connection(Pyro5.socketutil.SocketConnection):  # type: ignore[misc]
    """The connection of an admitted peer, for one thread.

    Args:
        sock: Its socket.
        silence_s: Time that the peer may be silent between two requests.
    """

    def __init__(self, sock: socket.socket, *, silence_s: float) -> None:
        super().__init__(sock)
        self._silence_s = silence_s
        self._received = bytearray()

    def await_request(self) -> None:
        """Wait for the next request, until it is whole.

        Raises:
            ProtocolError: It is refused at its header.
            TimeoutError: The peer was silent, or too slow.
            ConnectionClosedError: The peer has left.
        """
        deadline = time.monotonic() + self._silence_s
        if not self._received:
            self._receive(deadline)
        deadline = time.monotonic() + REQUEST_S
        while len(self._received) < HEADER_BYTES:
            self._receive(deadline)
        length = read_header(
            bytes(self._received[:HEADER_BYTES]),
            kind=Pyro5.protocol.MSG_INVOKE,
            limit=MAX_MESSAGE_BYTES,
        )
        while len(self._received) < length:
            self._receive(deadline)

    def _receive(self, deadline: float) -> None:
        self._limit_time(deadline)
        try:
            chunk = self.sock.recv(CHUNK_BYTES)
        except TimeoutError as error:
            raise Pyro5.errors.TimeoutError("the request is too slow") from error
        except (OSError, ValueError) as error:
            raise Pyro5.errors.ConnectionClosedError(str(error)) from error
        if not chunk:
            raise Pyro5.errors.ConnectionClosedError("closed by the peer")
        self._received += chunk

    def _limit_time(self, deadline: float) -> None:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise Pyro5.errors.TimeoutError("the peer is too slow")
        try:
            self.sock.settimeout(left_s)
        except OSError as error:
            raise Pyro5.errors.ConnectionClosedError(str(error)) from error

    def recv(self, size: int) -> bytes:
        """Return a piece of the request that `await_request` has received; called by Pyro5."""
        if len(self._received) < size:
            raise Pyro5.errors.ConnectionClosedError("a message ends too early")
        piece = bytes(self._received[:size])
        del self._received[:size]
        return piece

    def send(self, data: bytes) -> None:
        """Send a whole answer; called by Pyro5."""
        deadline = time.monotonic() + REQUEST_S
        left = memoryview(data)
        while left:
            self._limit_time(deadline)
            try:
                left = left[self.sock.send(left) :]
            except TimeoutError as error:
                raise Pyro5.errors.TimeoutError("the answer is not taken") from error
            except (OSError, ValueError) as error:
                raise Pyro5.errors.ConnectionClosedError(str(error)) from error
