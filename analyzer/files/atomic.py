"""Write whole files only: under a passing name first, then renamed."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from analyzer.errors import ResourceError


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Explain an error of writing a file.

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
    """Give a passing name for a file, and rename it at the end: no half file is ever found.

    The folder is made where it is missing.

    Yields:
        Path to write to; it is removed if an error leaves the context.

    Raises:
        ResourceError: The file cannot be written.
    """
    part = path.with_name(f"{path.name}.part.{os.getpid()}.{threading.get_ident()}")
    try:
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield part
            with part.open("rb") as stream:
                os.fsync(stream.fileno())
            os.replace(part, path)
    finally:
        # It must not hide the error that it follows.
        with suppress(OSError):
            part.unlink()


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that other processes see all of it or nothing.

    Raises:
        ResourceError: The file cannot be written.
    """
    with atomic_write(path) as part:
        part.write_bytes(data)
