"""Files that can be made again, in the user's cache folder."""

import os
import tempfile
from pathlib import Path

import platformdirs


def path(*parts: str) -> Path:
    """Where a cached file of these path parts lies, whether it exists or not."""
    return platformdirs.user_cache_path("ina").joinpath(*parts)


def write(target: Path, data: bytes) -> None:
    """Write a file so that other processes see all of it or nothing.

    Raises:
        OSError: the folder cannot be written, or the disk is full.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=target.stem, suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
