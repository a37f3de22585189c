"""SHA-256 of files and of data in memory."""

import base64
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ina_input import regular

if TYPE_CHECKING:
    from hashlib import _Hash

_CHUNK_BYTES = 1 << 20


def sha256(pieces: Iterable[bytes]) -> "_Hash":
    """Return the hash of the concatenation of pieces.

    Args:
        pieces: Pieces of the data, in order.

    Example:
        `sha256([text.encode()]).hexdigest()`
    """
    state = hashlib.sha256()
    for piece in pieces:
        state.update(piece)
    return state


def file_sha256(path: Path) -> str:
    """Return the hash of a file, in hexadecimal.

    Args:
        path: Path of the file.

    Raises:
        OSError: The file cannot be read, or is not a regular file.
    """
    return sha256(_chunks(path)).hexdigest()


def policy_hash(text: str) -> str:
    """Return the hash of a script or style for a content security policy, as `sha256-...`.

    Args:
        text: Content of the element.
    """
    return f"sha256-{base64.b64encode(sha256([text.encode()]).digest()).decode('ascii')}"


def _chunks(path: Path) -> Iterator[bytes]:
    with regular.open_binary(path) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            yield chunk
