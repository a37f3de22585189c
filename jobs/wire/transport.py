"""Settings of both ends of the wire: Pyro5, tokens, certificates.

Pyro5 is imported here only; `service` and `client` take from here what they need of it.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import os
import resource
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joblist.errors import UsageError

# Pyro5 reads PYRO_* variables when it is imported, and stops at one that it does not know.
_hidden = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYRO_")}
import Pyro5.client  # noqa: E402
import Pyro5.errors  # noqa: E402
import Pyro5.protocol  # noqa: E402
import Pyro5.serializers  # noqa: E402
import Pyro5.server  # noqa: E402
import Pyro5.socketutil  # noqa: E402

os.environ.update(_hidden)

expose = Pyro5.server.expose
Proxy = Pyro5.client.Proxy
PyroError = Pyro5.errors.PyroError
CommunicationError = Pyro5.errors.CommunicationError

MAX_MESSAGE_BYTES = 1 << 20
COMM_TIMEOUT_S = 60.0
MAX_WORKERS = 240
"""Workers that a server has threads for."""


@dataclass(frozen=True)
class Access:
    """What a server demands of its workers."""

    token: str | None = None
    certs: Path | None = None
    """Folder with ca.pem, and server.pem, server.key or worker.pem, worker.key."""

    @classmethod
    def load(cls, *, token_file: str | None, certs: str | None) -> Access:
        """Read what the options of a command name."""
        if token_file is None:
            return cls(certs=Path(certs) if certs else None)
        try:
            token = Path(token_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"token file {token_file}: {error}") from error
        if len(token) < 16:
            raise UsageError(f"token file {token_file}: the token needs 16 characters or more")
        return cls(token=token, certs=Path(certs) if certs else None)

    def file(self, name: str) -> str:
        """Return the path of one file of the certificates."""
        assert self.certs is not None
        path = self.certs / name
        if not path.is_file():
            raise UsageError(f"{path} is missing: the folder of certificates must contain it")
        return str(path)


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine only."""
    try:
        addresses = socket.getaddrinfo(host, None)
    except OSError as error:
        raise UsageError(f"host {host!r} is not known here ({error.strerror})") from error
    return all(
        ipaddress.ip_address(str(entry[4][0]).split("%")[0]).is_loopback for entry in addresses
    )


def require_safe(host: str, access: Access) -> None:
    """Refuse to serve other machines without a token and certificates."""
    if (access.token and access.certs) or is_loopback(host):
        return
    raise UsageError(
        f"{host} can be reached from other machines: give --token_file FILE and --certs DIR, "
        "or serve on localhost"
    )


def require_descriptors() -> None:
    """Allow this process a connection or two for each worker, or refuse to start."""
    needed = 2 * MAX_WORKERS + 100
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise UsageError(f"only {hard} open files are allowed, {needed} are needed: ulimit -n")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def configure(access: Access, *, role: str, comm_timeout_s: float = COMM_TIMEOUT_S) -> None:
    """Set Pyro5 up for this process.

    Args:
        access: Token and certificates.
        role: `server` or `worker`: the certificate that is shown to the other end.
        comm_timeout_s: Longest silence of a peer; more than two heartbeats.
    """
    logging.getLogger("Pyro5").addHandler(logging.NullHandler())
    config = Pyro5.config
    config.reset(use_environment=False)
    config.SERVERTYPE = "thread"
    config.THREADPOOL_SIZE = 2 * MAX_WORKERS + 16
    config.COMMTIMEOUT = comm_timeout_s
    config.POLLTIMEOUT = 0.5
    config.MAX_MESSAGE_SIZE = MAX_MESSAGE_BYTES
    config.SOCK_NODELAY = True
    config.ITER_STREAMING = False
    refuse_marshal()
    refuse_compressed()
    if access.certs:
        _configure_tls(access, role=role)


def _configure_tls(access: Access, *, role: str) -> None:
    config = Pyro5.config
    config.SSL = True
    config.SSL_REQUIRECLIENTCERT = True
    config.SSL_CACERTS = access.file("ca.pem")
    side = "SERVER" if role == "server" else "CLIENT"
    setattr(config, f"SSL_{side}CERT", access.file(f"{role}.pem"))
    setattr(config, f"SSL_{side}KEY", access.file(f"{role}.key"))
    try:
        # Made here, before there are threads: Pyro5 publishes it before it is complete.
        Pyro5.socketutil.get_ssl_context(
            servercert=config.SSL_SERVERCERT,
            serverkey=config.SSL_SERVERKEY,
            clientcert=config.SSL_CLIENTCERT,
            clientkey=config.SSL_CLIENTKEY,
            cacerts=config.SSL_CACERTS,
        )
    except ssl.SSLError as error:
        raise UsageError(f"certificates in {access.certs}: {error}") from error


class _RefusingMarshal(Pyro5.serializers.MarshalSerializer):  # type: ignore[misc]
    """Writes marshal, for Pyro5's own refusals are sent in it, and reads none.

    A peer chooses the serializer, and it runs before the handshake is checked.
    """

    def loads(self, data: bytes) -> Any:  # noqa: ARG002
        raise Pyro5.errors.SerializeError("marshal is not accepted")

    def loadsCall(self, data: bytes) -> Any:  # noqa: ARG002, N802
        raise Pyro5.errors.SerializeError("marshal is not accepted")


def refuse_marshal() -> None:
    """Accept no message in the format that must not be read from strangers."""
    refusing = _RefusingMarshal()
    Pyro5.serializers.serializers["marshal"] = refusing
    Pyro5.serializers.serializers_by_id[refusing.serializer_id] = refusing


def refuse_compressed() -> None:
    """Accept no compressed message: a small one may unfold to fill the memory."""
    take = Pyro5.protocol.ReceivingMessage.add_payload

    def add_payload(message: Any, payload: bytes) -> None:
        if message.flags & Pyro5.protocol.FLAGS_COMPRESSED:
            raise Pyro5.errors.ProtocolError("compressed messages are not accepted")
        take(message, payload)

    add_payload.refuses = True  # type: ignore[attr-defined]
    if not hasattr(take, "refuses"):
        Pyro5.protocol.ReceivingMessage.add_payload = add_payload


@Pyro5.server.expose  # type: ignore[misc]
class Greeter:
    """What every peer may ask: the methods of the object it came for, and nothing else."""

    def __init__(self, daemon: Any) -> None:
        self._inner = Pyro5.server.DaemonObject(daemon)

    def get_metadata(self, object_id: str) -> Any:
        """Return the methods of an object."""
        return self._inner.get_metadata(object_id)


def require_free(host: str, port: int) -> None:
    """Raise UsageError when the port is taken; Pyro5 itself would leave a socket behind."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise UsageError(
                f"cannot serve on {host}:{port} ({error.strerror}): "
                "is another server running? Give another --port P"
            ) from error


class Daemon(Pyro5.server.Daemon):  # type: ignore[misc]
    """A Pyro5 daemon that lets in only those who know the token."""

    def __init__(
        self, host: str = "", port: int = 0, *, access: Access, socket_path: str | None = None
    ) -> None:
        self._token = access.token
        self._connections: set[Any] = set()
        super().__init__(host=host, port=port, unixsocket=socket_path, interface=Greeter)
        if access.certs:
            # Otherwise one silent peer stops the thread that accepts connections, for ever.
            self.transportServer.sock.do_handshake_on_connect = False

    def validateHandshake(self, conn: Any, data: Any) -> str:  # noqa: N802
        """Check the token of a new connection."""
        offered = data.get("token") if isinstance(data, dict) else None
        if self._token and not (
            isinstance(offered, str) and hmac.compare_digest(offered.encode(), self._token.encode())
        ):
            raise PermissionError("wrong token")
        self._connections.add(conn)
        return "welcome"

    def clientDisconnect(self, conn: Any) -> None:  # noqa: N802
        """Forget a connection that has ended."""
        self._connections.discard(conn)

    def shutdown(self) -> None:
        """Stop listening, and hang up: Pyro5 would go on answering those who are connected."""
        super().shutdown()
        for conn in list(self._connections):
            conn.close()

    def _Daemon__deserializeBlobArgs(self, message: Any) -> Any:  # noqa: ARG002, N802
        # The name by which Pyro5's class calls it; its own reads marshal.
        raise Pyro5.errors.SerializeError("serialized blobs are not accepted")
