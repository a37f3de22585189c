"""Atomic writes: a file is written under a temporary name beside its place, then renamed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from analyzer.errors import ResourceError
from joblist.names import beside


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into one that says what to do.

    Args:
        path: Path of the file that is written inside the context.

    Raises:
        ResourceError: The file cannot be written.
    """
    try:
        yield
    except OSError as error:
        raise ResourceError(
            f"{path}: cannot be written: {error.strerror}; check its folder, rights and space"
        ) from error


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Write a file so that other processes see all of it or nothing.

    A missing folder is created.

    Args:
        path: Path of the file.

    Yields:
        Temporary path to write to; it is renamed at the end, or removed after an error.

    Raises:
        ResourceError: The file cannot be written.

    Example:
        `with atomic_write(path) as part: part.write_text("whole")`
    """
    # Threads, and containers that share a folder, may have the same process id.
    part = Path(beside(str(path), f".part.{os.getpid()}.{os.urandom(3).hex()}"))
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            with part.open("rb") as stream:
                os.fsync(stream.fileno())
            os.replace(part, path)
    finally:
        # An error here must not hide the one that ended the context.
        with suppress(OSError):
            part.unlink()


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write bytes to a file; see `atomic_write`.

    Args:
        path: Path of the file.
        data: Content of the file.

    Raises:
        ResourceError: The file cannot be written.
    """
    with atomic_write(path) as part:
        part.write_bytes(data)
