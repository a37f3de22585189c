"""Settings of both ends of the wire: Pyro5, tokens, certificates.

Pyro5 is imported in this package only; `service` and `client` take from here what they need of it.
"""

from __future__ import annotations

import ipaddress
import logging
import resource
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ina_input import regular
from ina_web.gate import GateLimits
from joblist.errors import UsageError
from jobs.wire.codec import use_json_only
from jobs.wire.connection import MAX_MESSAGE_BYTES
from jobs.wire.pyro import Pyro5
from jobs.wire.tokens import MIN_CHARACTERS

expose = Pyro5.server.expose
Proxy = Pyro5.client.Proxy
PyroError = Pyro5.errors.PyroError
CommunicationError = Pyro5.errors.CommunicationError

COMM_TIMEOUT_S = 60.0
MAX_WORKERS = 240
"""Workers that a server has threads for."""
MAX_CONNECTIONS = 2 * MAX_WORKERS + 16
"""Connections of admitted peers: each has a thread."""
MAX_DESCRIPTORS = MAX_CONNECTIONS + 2 * GateLimits().waiting + 100
"""Files that a server opens: also connections that wait, at its port and at its page."""
MAX_TOKEN_FILE_BYTES = 4096


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
            token = regular.read_text(token_file, limit=MAX_TOKEN_FILE_BYTES).strip()
        except (OSError, ValueError) as error:
            raise UsageError(f"token file {token_file}: {error}") from error
        if len(token) < MIN_CHARACTERS:
            text = f"token file {token_file}: the token needs {MIN_CHARACTERS} characters or more"
            raise UsageError(text)
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
    """Allow this process the connections that it may have, or refuse to start."""
    needed = MAX_DESCRIPTORS
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
    config.THREADPOOL_SIZE_MIN = 1
    config.COMMTIMEOUT = comm_timeout_s
    config.POLLTIMEOUT = 0.5
    config.MAX_MESSAGE_SIZE = MAX_MESSAGE_BYTES
    config.SOCK_NODELAY = True
    config.ITER_STREAMING = False
    use_json_only()
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
