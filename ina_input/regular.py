"""Open regular files only: a pipe, socket or device could keep a program waiting, or never end."""

import errno
import io
import os
import stat
from collections.abc import Callable
from typing import BinaryIO, TextIO

Location = str | os.PathLike[str]
Opener = Callable[[Location], int]
"""Function that opens a regular file for reading, such as `open_descriptor`."""
MAX_BYTES = 1 << 28
"""Size of a text that is read as a whole."""


class BoundExceeded(ValueError):
    """Something is larger, longer or deeper than this program reads."""


def open_descriptor(path: Location, *, dir_fd: int | None = None) -> int:
    """Open a regular file for reading.

    What is open is checked, not the path: the path may lead to another file a moment later.

    Args:
        path: Path of the file.
        dir_fd: Descriptor of the folder that a relative path starts from.

    Returns:
        File descriptor, which the caller closes.

    Raises:
        OSError: The file is missing, unreadable, or not a regular file.
    """
    try:
        # Looked at before it is opened, too: opening some devices does something, such as rewind.
        _require_regular(path, os.stat(path, dir_fd=dir_fd))
        # Without O_NONBLOCK, opening a FIFO would wait for a writer.
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        descriptor = os.open(path, flags, dir_fd=dir_fd)
    except ValueError as error:  # a NUL in the path
        raise OSError(errno.EINVAL, "not a path", os.fspath(path)) from error
    return checked(descriptor, path)


def checked(descriptor: int, path: Location) -> int:
    """Return a descriptor of a regular file, set to wait for its content; close any other.

    Args:
        descriptor: File descriptor, opened with `O_NONBLOCK`.
        path: Path of the file, for the message.

    Raises:
        OSError: It is not that of a regular file.
    """
    try:
        _require_regular(path, os.fstat(descriptor))
        os.set_blocking(descriptor, True)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_regular(path: Location, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))


def open_binary(path: Location, *, opener: Opener = open_descriptor) -> BinaryIO:
    """Open a regular file as a stream of bytes; see `open_descriptor`."""
    return os.fdopen(opener(path), "rb")


def open_text(
    path: Location,
    *,
    encoding: str = "utf-8",
    errors: str = "strict",
    newline: str | None = None,
    opener: Opener = open_descriptor,
) -> TextIO:
    """Open a regular file as a stream of text; see `open_descriptor`.

    Args:
        path: Path of the file.
        encoding: Encoding of its text.
        errors: Treatment of bytes that are not of this encoding.
        newline: Treatment of line ends, as in `open`.
        opener: Function that opens the file.
    """
    return io.TextIOWrapper(
        open_binary(path, opener=opener), encoding=encoding, errors=errors, newline=newline
    )


def read_bytes(
    path: Location, *, limit: int = MAX_BYTES, opener: Opener = open_descriptor
) -> bytes:
    """Read a regular file as a whole.

    Args:
        path: Path of the file.
        limit: Largest size, in bytes.
        opener: Function that opens the file.

    Raises:
        OSError: The file is missing, unreadable, or not a regular file.
        BoundExceeded: The file is larger.
    """
    with open_binary(path, opener=opener) as stream:
        size = os.fstat(stream.fileno()).st_size
        # The size may be 0 where the content is not: in /proc, or while the file grows.
        content = stream.read(limit + 1) if size <= limit else None
    if content is None or len(content) > limit:
        raise BoundExceeded(f"larger than {limit} bytes")
    return content


def read_text(path: Location, *, limit: int = MAX_BYTES, opener: Opener = open_descriptor) -> str:
    """Read a regular file as UTF-8; see `read_bytes`.

    Raises:
        UnicodeDecodeError: The file is not UTF-8; as a `ValueError`.
    """
    return read_bytes(path, limit=limit, opener=opener).decode("utf-8")
