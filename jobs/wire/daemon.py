"""The server's end of the wire: who is admitted, and what each of them may ask."""

from __future__ import annotations

import hmac
import logging
import threading
from collections import Counter
from typing import Any

from ina_input import documents
from ina_web.gate import BadRequest, Caller, Gate
from jobs.wire.codec import JSON_ID, Codec
from jobs.wire.connection import HANDSHAKE_BYTES, HEADER_BYTES, Connection, read_header
from jobs.wire.pyro import Pyro5
from jobs.wire.transport import MAX_CONNECTIONS, Access

log = logging.getLogger(__name__)
MAX_OF_ONE_PEER = MAX_CONNECTIONS - 64
"""Connections that one address may have: others find room, too."""


class Refused(Exception):
    """A peer is not admitted; the message is sent to it."""


@Pyro5.server.expose  # type: ignore[misc]
class Greeter:
    """What every peer may ask: the methods of the object it came for, and nothing else."""

    def __init__(self, daemon: Any) -> None:
        self._inner = Pyro5.server.DaemonObject(daemon)

    def get_metadata(self, object_id: str) -> Any:
        """Return the methods of an object."""
        return self._inner.get_metadata(object_id)


class Daemon(Pyro5.server.Daemon):  # type: ignore[misc]
    """A Pyro5 daemon that lets in only those who know the token.

    A peer waits at a gate, without a thread, until its greeting is whole; those who are admitted
    have a thread each, and are never sent away for newcomers.

    Args:
        host: Name or address to listen on.
        port: TCP port; 0 for any free one.
        access: Token that peers must know.
        silence_s: Time that an admitted peer may be silent.
        socket_path: Path of a local socket, in the place of host and port.
    """

    token: str | None
    """Token that peers must know; set before the daemon answers."""

    def __init__(
        self,
        host: str = "",
        port: int = 0,
        *,
        access: Access,
        silence_s: float,
        socket_path: str | None = None,
    ) -> None:
        self.token = access.token
        self._silence_s = silence_s
        self._connections: dict[Connection, str] = {}
        self._mutex = threading.Lock()
        super().__init__(host=host, port=port, unixsocket=socket_path, interface=Greeter)
        listener = self.transportServer.sock
        # Pyro5's own server would do each TLS handshake in the thread that accepts connections, and
        # give each peer a thread before it has said anything.
        self._gate = Gate(
            listener,
            measure=_measure_greeting,
            serve=self._receive,
            context=getattr(listener, "context", None),
        )

    def requestLoop(self, loopCondition: Any = None) -> None:  # noqa: ARG002, N802, N803
        """Let peers in until `shutdown` is called."""
        self._gate.run()

    def stop_greeting(self) -> None:
        """Admit no further peers; those who are admitted are served."""
        self._gate.stop()

    def shutdown(self) -> None:
        """Stop listening, and hang up."""
        self.stop_greeting()
        super().shutdown()
        for connection in list(self._connections):
            connection.close()

    def _receive(self, caller: Caller, greeting: bytes) -> bool:
        """Answer a greeting; give a peer that is admitted a thread. Called by the gate."""
        connection = Connection(caller.sock, silence_s=self._silence_s)
        message = Pyro5.protocol.ReceivingMessage(greeting[:HEADER_BYTES], greeting[HEADER_BYTES:])
        answer: Any
        try:
            answer = self._admit(connection, caller.peer, bytes(message.data))
            kind = Pyro5.protocol.MSG_CONNECTOK
        except Refused as refusal:
            answer, kind = str(refusal), Pyro5.protocol.MSG_CONNECTFAIL
        try:
            # It fits into the buffer of a new connection: nobody is waited for.
            caller.sock.sendall(_message(kind, answer, sequence=message.seq))
            if kind == Pyro5.protocol.MSG_CONNECTFAIL:
                raise ConnectionAbortedError("refused")
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            thread.start()
        except (OSError, RuntimeError):
            # RuntimeError: the system gives no further thread.
            self._forget(connection)
        return False

    def _admit(self, connection: Connection, peer: str, greeting: bytes) -> dict[str, Any]:
        """Return the answer to a greeting.

        Raises:
            Refused: The peer is not admitted.
        """
        try:
            plain = documents.parse(greeting)
            offered, name = plain["handshake"], plain["object"]
            token = offered.get("token") if isinstance(offered, dict) else None
            expected = self.objectsById[Pyro5.core.DAEMON_NAME]
        except (ValueError, KeyError, TypeError) as error:
            raise Refused("not the greeting of a worker") from error
        if self.token and not (
            isinstance(token, str)
            and hmac.compare_digest(token.encode("utf-8", "replace"), self.token.encode())
        ):
            raise Refused("wrong token")
        if not isinstance(name, str) or name not in self.objectsById:
            raise Refused("unknown object")
        with self._mutex:
            counts = Counter(self._connections.values())
            if counts.total() >= MAX_CONNECTIONS or counts[peer] >= MAX_OF_ONE_PEER:
                raise Refused(
                    f"too many connections ({counts.total()}, {counts[peer]} of {peer}): "
                    "start fewer workers"
                )
            self._connections[connection] = peer
        return {"handshake": "welcome", "meta": expected.get_metadata(name)}

    def _serve(self, connection: Connection) -> None:
        """Answer the requests of a peer until it leaves."""
        try:
            while True:
                connection.await_request()
                self.handleRequest(connection)
        except (OSError, Pyro5.errors.PyroError) as error:
            log.debug("a peer is gone: %s", error)
        except Exception as error:
            log.warning("a connection was ended: %s: %s", type(error).__name__, error)
        finally:
            self._forget(connection)

    def _forget(self, connection: Connection) -> None:
        with self._mutex:
            self._connections.pop(connection, None)
        connection.close()


def _measure_greeting(received: bytearray) -> int:
    """Return the length of a greeting, if it is whole; see `Gate`."""
    try:
        Pyro5.protocol.ReceivingMessage.validate(bytes(received[:HEADER_BYTES]))
        if len(received) < HEADER_BYTES:
            return 0
        length = read_header(
            bytes(received[:HEADER_BYTES]), kind=Pyro5.protocol.MSG_CONNECT, limit=HANDSHAKE_BYTES
        )
    except ValueError:
        # Fewer than four bytes: it cannot be told yet.
        return 0
    except Pyro5.errors.ProtocolError as error:
        raise BadRequest(_message(Pyro5.protocol.MSG_CONNECTFAIL, str(error))) from error
    return length if len(received) >= length else 0


def _message(kind: int, content: Any, *, sequence: int = 0) -> bytes:
    payload = Codec().dumps(content)
    message = Pyro5.protocol.SendingMessage(kind, 0, sequence, JSON_ID, payload)
    return bytes(message.data)
