"""Key files of encrypted identity stores: 64 hexadecimal digits that only their owner may read."""

import os
import re
import secrets
import stat
from pathlib import Path

from analyzer.errors import UsageError
from ina_input import regular

KEY_BYTES = 32
_LIMIT = 4096


def make(path: Path) -> None:
    """Write a new key to a new file of mode 600.

    Raises:
        UsageError: There is a file already, or it cannot be written.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as stream:
            stream.write(f"{secrets.token_hex(KEY_BYTES)}\n")
            stream.flush()
            os.fsync(stream.fileno())
    except FileExistsError as error:
        raise UsageError(
            f"{path} is there already, and a store may need it: name a new file"
        ) from error
    except OSError as error:
        raise UsageError(f"key file {path}: {error.strerror}: name another file") from error


def read(path: str | None) -> bytes | None:
    """Return the key in a file of this user; `None` without a file.

    Raises:
        UsageError: It cannot be read, belongs to another user, others can read it, or it holds
            something else.
    """
    if path is None:
        return None
    try:
        with regular.open_binary(path) as stream:
            status = os.fstat(stream.fileno())
            content = stream.read(_LIMIT)
    except OSError as error:
        raise UsageError(f"key file {path}: {error.strerror}: name another file") from error
    if status.st_uid != os.geteuid():
        raise UsageError(f"key file {path} belongs to another user: copy it to a file of your own")
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise UsageError(
            f"key file {path} can be read by others: chmod 600 it, and if others may have read it, "
            "give the store another key with `identities rekey`"
        )
    text = content.decode("ascii", "replace").strip()
    if not re.fullmatch(f"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", text):
        raise UsageError(
            f"{path} is no key file: it has {2 * KEY_BYTES} hexadecimal digits, as "
            "`python -m analyzer identities key FILE` writes them"
        )
    return bytes.fromhex(text)
