"""Tokens in files that only their owner can read, and how a worker finds its server's.

A server on loopback makes a token, and removes it when it ends; a worker of the same user on the
same machine finds it by the address of the server. It is shown to nobody who listens in the name of
another user.
"""

from __future__ import annotations

import os
import secrets
import socket
import stat
from contextlib import suppress
from pathlib import Path

from joblist.errors import UsageError

MIN_CHARACTERS = 16
LISTENING = "0A"
"""State of a listening socket in the tables of the kernel."""
TABLES = ("/proc/net/tcp", "/proc/net/tcp6")


def own_token(path: Path) -> str:
    """Return the token in a file, which is written if it does not exist.

    Raises:
        UsageError: Other users can read the file, it cannot be written, or the token is too short.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except FileExistsError:
        return read_token(path)
    except OSError as error:
        raise UsageError(f"token file {path}: {error.strerror}") from error
    with os.fdopen(handle, "w", encoding="ascii") as stream:
        token = secrets.token_urlsafe(32)
        stream.write(f"{token}\n")
    return token


def read_token(path: Path) -> str:
    """Return the token in a file of this user.

    Raises:
        UsageError: It belongs to another user, others can read it, or the token is too short.
    """
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
            status = os.fstat(stream.fileno())
            text = stream.read(4096) if stat.S_ISREG(status.st_mode) else b""
    except OSError as error:
        raise UsageError(f"token file {path}: {error.strerror}") from error
    if status.st_uid != os.geteuid():
        raise UsageError(f"{path} belongs to another user: remove it")
    if status.st_mode & 0o077:
        raise UsageError(f"{path} can be read by others: chmod 600 it, or remove it")
    token = text.decode("utf-8", "replace").strip()
    if len(token) < MIN_CHARACTERS:
        raise UsageError(
            f"{path}: the token needs {MIN_CHARACTERS} characters or more: remove the file"
        )
    return token


def folder() -> Path:
    """Return the folder with the tokens of this user's servers."""
    from platformdirs import user_state_path

    return user_state_path("ina") / "tokens"


def file_for(address: str, port: int) -> Path:
    """Return the file for a server of this machine: homes may be shared by machines."""
    machine = socket.gethostname().replace("/", "_")
    return folder() / f"{machine}-{address.replace(':', '.')}-{port}.token"


def make(address: str, port: int) -> tuple[Path, str]:
    """Make the token of a server, or take that of a server that was killed here.

    Args:
        address: Address that the server listens on.
        port: Its port.

    Returns:
        The file, and its token.

    Raises:
        UsageError: The file cannot be written, or cannot be kept from other users.
    """
    path = file_for(address, port)
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return path, own_token(path)
    except (OSError, UsageError) as error:
        raise UsageError(
            f"no token for the workers of this machine can be made ({error}): make {path.parent} "
            "writable, set XDG_STATE_HOME to another folder, or give --token_file FILE or "
            "--no_token"
        ) from error


def find(host: str, port: int) -> str | None:
    """Return the token of a server of this user on this machine; `None` if there is none.

    Args:
        host: Name or address of the server, as in its URI.
        port: Its port.

    Raises:
        UsageError: The file is not safe, or another user listens there.
    """
    addresses: dict[str, None] = {}
    with suppress(OSError):
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = dict.fromkeys(str(entry[4][0]) for entry in entries)
    for address in addresses:
        path = file_for(address, port)
        if path.exists():
            _require_own_listener(port)
            return read_token(path)
    return None


def _require_own_listener(port: int) -> None:
    """Require that no other user listens on a port, to get the token."""
    strangers = _listeners(port) - {os.geteuid()}
    if strangers:
        raise UsageError(
            f"port {port} belongs to another user (uid {min(strangers)}) now: the token is not "
            "sent; start your server on another --port"
        )


def _listeners(port: int) -> set[int]:
    """Return the users that listen on a TCP port of this machine, as far as the kernel tells."""
    users = set()
    for table in TABLES:
        with suppress(OSError), open(table, encoding="ascii") as lines:
            for line in lines:
                cells = line.split()
                if cells[1].endswith(f":{port:04X}") and cells[3] == LISTENING:
                    users.add(int(cells[7]))
    return users
