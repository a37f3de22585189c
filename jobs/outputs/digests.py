"""SHA-256 of outputs, as the ledger has it."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from pathlib import Path

from jobs.outputs.durable import Progress, no_progress

CHUNK_BYTES = 1 << 20


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file in hexadecimal.

    Raises:
        OSError: It cannot be read, or is not a regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb"):
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return sha256_of(descriptor)


def sha256_of(descriptor: int, progress: Progress = no_progress) -> str:
    """Return the SHA-256 of an open file in hexadecimal."""
    state, offset = hashlib.sha256(), 0
    while chunk := os.pread(descriptor, CHUNK_BYTES, offset):
        state.update(chunk)
        offset += len(chunk)
        progress()
    return state.hexdigest()
