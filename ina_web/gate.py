"""A gate: connections wait here, without a thread, until their request is whole.

A peer that says nothing, or a byte now and then, costs a socket and some bytes, and for no longer
than a deadline. There is a bound for all that wait, and one for each address. At the bound, the
connection that has waited longest goes first: a peer that says what it wants at once is served,
however many others say nothing.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import queue
import selectors
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

log = logging.getLogger(__name__)
CHUNK_BYTES = 1 << 14
BACKLOG = 512
SWEEP_S = 0.1
"""Time between two looks for connections that are overdue."""
FAREWELL_S = 1.0
"""Time that a peer has to take the answer to what is no request."""
OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)


@dataclass(frozen=True)
class GateLimits:
    """How many connections may wait, and how long."""

    waiting: int = 128
    """Connections in all."""
    waiting_per_peer: int = 96
    """Connections of one address."""
    request_s: float = 10.0
    """Time for a whole request, from its first byte; of a new connection, from its beginning."""
    idle_s: float = 30.0
    """Time that a connection may be silent after it was answered."""


class BadRequest(Exception):
    """What a peer sends is no request.

    Args:
        answer: Bytes that tell the peer so; empty: it is only disconnected.
    """

    def __init__(self, answer: bytes = b"") -> None:
        super().__init__()
        self.answer = answer


@dataclass(eq=False)
class Caller:
    """A connection at the gate."""

    sock: socket.socket
    peer: str
    """Address that counts as one peer; of IPv6, a network that one owner has."""
    deadline: float
    since: float
    """Monotonic time at which it began to wait."""
    received: bytearray = field(default_factory=bytearray)
    is_greeted: bool = True
    """Whether the TLS handshake is over, or none is needed."""
    is_served: bool = False
    """Whether its request is being answered."""
    is_refused: bool = False
    """Whether it was told that it sends no request: the rest of it is thrown away."""

    def close(self) -> None:
        """Disconnect; a thread that waits for the peer gets an error."""
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()


class Gate:
    """Accepts connections, and calls a function with each that has sent a whole request.

    Args:
        listener: Listening socket.
        measure: Function that returns the length of the request at the beginning of what was
            received, or 0 if more must come.

    Raises:
                BadRequest: It will never be a request.
        serve: Function that is called, in the gate's thread, with a connection and its request; it
            must not wait for the peer. It returns whether `leave` will be called with the
            connection; otherwise the gate forgets it now.
        limits: Bounds of what waits.
        context: TLS of the server, if it has any.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        measure: Callable[[bytearray], int],
        serve: Callable[[Caller, bytes], bool],
        limits: GateLimits | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._listener = listener
        self._measure = measure
        self._serve = serve
        self._limits = limits or GateLimits()
        self._context = context
        self._callers: set[Caller] = set()
        self._leaving: queue.SimpleQueue[tuple[Caller, bool]] = queue.SimpleQueue()
        self._selector: selectors.BaseSelector
        self._bell: socket.socket
        self._ringer: socket.socket | None = None
        self._is_stopped = False
        self._is_resting = False
        self._next_sweep = 0.0

    def run(self) -> None:
        """Let connections in until `stop` is called."""
        self._listener.setblocking(False)
        self._listener.listen(BACKLOG)
        self._bell, self._ringer = socket.socketpair()
        with closing(selectors.DefaultSelector()) as self._selector, self._bell, self._ringer:
            for sock in (self._bell, self._ringer):
                sock.setblocking(False)
            self._selector.register(self._listener, selectors.EVENT_READ)
            self._selector.register(self._bell, selectors.EVENT_READ)
            try:
                while not self._is_stopped:
                    is_busy = self._callers or self._is_resting
                    for key, _ in self._selector.select(SWEEP_S if is_busy else 1.0):
                        self._attend(key)
                    self._sweep()
            finally:
                # Also where a fault ends it: the next run has another selector.
                for caller in list(self._callers):
                    self._drop(caller)
                self._see_off()

    def stop(self) -> None:
        """End `run`, from any thread."""
        self._is_stopped = True
        self._ring()

    def leave(self, caller: Caller, *, stays: bool) -> None:
        """Say that a request was answered, from any thread.

        Args:
            caller: Its connection.
            stays: Whether the connection waits for its next request; otherwise it is closed.
        """
        if not stays or self._is_stopped:
            caller.close()
        self._leaving.put((caller, stays))
        self._ring()

    def _ring(self) -> None:
        if self._ringer:
            with suppress(OSError):
                self._ringer.send(b"!")

    def _attend(self, key: selectors.SelectorKey) -> None:
        try:
            if key.fileobj is self._listener:
                self._accept()
            elif key.fileobj is self._bell:
                self._bell.recv(CHUNK_BYTES)
                self._see_off()
            elif key.data in self._callers:
                # Otherwise another connection of the same round has pushed it out.
                self._hear(key.data)
        except Exception as error:
            # Whatever one peer causes must not shut the gate for the others.
            log.warning("a connection was ended: %s: %s", type(error).__name__, error)
            if isinstance(key.data, Caller):
                self._drop(key.data)

    def _see_off(self) -> None:
        """Take back the connections that were answered."""
        while not self._leaving.empty():
            caller, stays = self._leaving.get()
            if not stays or caller not in self._callers:
                self._callers.discard(caller)
                caller.close()
            else:
                self._await_next(caller)

    def _accept(self) -> None:
        try:
            # Not the method of a TLS socket, which would wrap the connection here.
            sock, address = socket.socket.accept(self._listener)
        except OSError as error:
            if error.errno in OUT_OF_DESCRIPTORS:
                self._make_room()
            return
        sock.setblocking(False)
        now, peer = time.monotonic(), peer_of(address)
        self._push_out(peer)
        caller = Caller(sock, peer, now + self._limits.request_s, now)
        try:
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context:
                caller.is_greeted = False
                caller.sock = self._context.wrap_socket(
                    sock, server_side=True, do_handshake_on_connect=False
                )
        except (OSError, ValueError):
            sock.close()
            return
        self._callers.add(caller)
        self._selector.register(caller.sock, selectors.EVENT_READ, caller)
        # Most say at once what they want.
        self._hear(caller)

    def _make_room(self) -> None:
        """No descriptor is free: disconnect one that waits, or let the listener rest."""
        if self._callers:
            self._drop(self._oldest(self._callers))
        else:
            self._selector.unregister(self._listener)
            self._is_resting = True

    def _push_out(self, peer: str) -> None:
        """Disconnect the connection that has waited longest, if there are too many."""
        own = [caller for caller in self._callers if caller.peer == peer]
        if len(own) >= self._limits.waiting_per_peer:
            self._drop(self._oldest(own))
        elif len(self._callers) >= self._limits.waiting:
            ((most, _),) = Counter(caller.peer for caller in self._callers).most_common(1)
            self._drop(self._oldest([one for one in self._callers if one.peer == most]))

    @staticmethod
    def _oldest(callers: Any) -> Caller:
        """Return the connection to be given up: silent ones before those that are answered."""
        oldest: Caller = min(callers, key=lambda caller: (caller.is_served, caller.since))
        return oldest

    def _hear(self, caller: Caller) -> None:
        """Take what a connection has sent, and have its request served once it is whole."""
        try:
            if not caller.is_greeted:
                caller.sock.do_handshake()  # type: ignore[attr-defined]
                caller.is_greeted = True
            while not self._serve_if_whole(caller):
                self._receive(caller)
        except ssl.SSLWantReadError:
            self._selector.modify(caller.sock, selectors.EVENT_READ, caller)
        except ssl.SSLWantWriteError:
            self._selector.modify(caller.sock, selectors.EVENT_WRITE, caller)
        except (BlockingIOError, InterruptedError):
            pass
        except BadRequest as bad:
            self._refuse(caller, bad.answer)
        except (OSError, ValueError) as error:
            log.debug("a connection was lost before its request was whole: %s", error)
            self._drop(caller)

    def _receive(self, caller: Caller) -> None:
        chunk = caller.sock.recv(CHUNK_BYTES)
        if not chunk:
            raise ConnectionResetError("closed by the peer")
        if caller.is_refused:
            return
        if not caller.received:
            caller.deadline = min(caller.deadline, time.monotonic() + self._limits.request_s)
        caller.received += chunk

    def _refuse(self, caller: Caller, answer: bytes) -> None:
        """Answer, and throw the rest away for a while: closing now could outrun the answer."""
        caller.is_refused = True
        caller.deadline = time.monotonic() + FAREWELL_S
        try:
            caller.sock.send(answer)
            caller.sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop(caller)

    def _serve_if_whole(self, caller: Caller) -> bool:
        is_open = caller.received and not caller.is_refused
        length = self._measure(caller.received) if is_open else 0
        if not length:
            return False
        request = bytes(caller.received[:length])
        del caller.received[:length]
        self._selector.unregister(caller.sock)
        caller.is_served, caller.since = True, time.monotonic()
        if not self._serve(caller, request):
            self._callers.discard(caller)
        return True

    def _await_next(self, caller: Caller) -> None:
        now = time.monotonic()
        caller.is_served, caller.since = False, now
        patience_s = self._limits.request_s if caller.received else self._limits.idle_s
        caller.deadline = now + patience_s
        try:
            caller.sock.setblocking(False)
            self._selector.register(caller.sock, selectors.EVENT_READ, caller)
        except (OSError, ValueError):
            self._drop(caller)
        else:
            self._hear(caller)

    def _drop(self, caller: Caller) -> None:
        """Disconnect a connection; if it is being answered, its thread gets an error."""
        self._callers.discard(caller)
        if not caller.is_served:
            with suppress(KeyError, ValueError):
                self._selector.unregister(caller.sock)
            caller.close()
            return
        with suppress(OSError):
            caller.sock.shutdown(socket.SHUT_RDWR)

    def _sweep(self) -> None:
        """Disconnect what is overdue, and let a listener that rests accept again."""
        now = time.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + SWEEP_S
        for caller in [one for one in self._callers if not one.is_served and one.deadline < now]:
            self._drop(caller)
        if self._is_resting:
            self._is_resting = False
            self._selector.register(self._listener, selectors.EVENT_READ)


def peer_of(address: Any) -> str:
    """Return what counts as one peer: an IPv4 address, or the /64 network of an IPv6 one.

    Args:
        address: Address that `accept` has returned; of a local socket, a text.
    """
    if not isinstance(address, tuple):
        return ""
    host = str(address[0]).partition("%")[0]
    if ":" not in host:
        return host
    return str(ipaddress.ip_network((host, 64), strict=False))
