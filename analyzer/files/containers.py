"""One place for all that libraries raise about media; the stream of pictures in a container."""

import errno
import mmap
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from analyzer.errors import AnalyzerError, InputError, ResourceError
from analyzer.files import source

_ATTACHED_PICTURE = 1 << 10
"""FFmpeg's `AV_DISPOSITION_ATTACHED_PIC`: cover art."""
_PICTURE_CODECS = ("bmp", "mjpeg", "png", "tiff", "webp")
_TIMECODE = re.compile(r"[0-9]{2}:[0-9]{2}:[0-9]{2}[:;.][0-9]{2,3}")
_STORAGE_ERRNOS = frozenset(
    {errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.ENXIO, errno.ETIMEDOUT}
    | {errno.EREMOTEIO, errno.EBADF, errno.ENOLINK, errno.ECONNRESET, errno.EHOSTDOWN}
)
"""Errors of a disk or mount; FFmpeg raises a few of them for damaged files as well."""
_EARLIEST = date(1980, 1, 1)
"""Of containers: clocks begin in 1904, or 1970."""
_AMPLE_BYTES = 1 << 30
_LOOKS = 16
"""Places of a file at which its storage is asked whether it works."""


def picture_stream(container: Any) -> Any:
    """Return the stream of a container's pictures; `None` without one. Cover art is no film.

    Args:
        container: Open container, of PyAV.
    """
    best = container.streams.best("video")
    if best is None or not (_is_cover(best) or _is_one_picture(best)):
        return best
    films = [stream for stream in container.streams.video if not _is_cover(stream)]
    moving = [stream for stream in films if not _is_one_picture(stream)]
    return max(moving or films, key=lambda stream: stream.width or 0, default=None)


def timecode_of(container: Any, stream: Any) -> str | None:
    """Return the timecode of the first picture, such as `01:00:00;00`; `None` without one.

    It is that of the pictures, or of the container, or of a track of its own, as of QuickTime.

    Args:
        container: Open container, of PyAV.
        stream: Stream of its pictures.
    """
    for source_of_tags in (stream, container, *container.streams.data):
        for name, value in source_of_tags.metadata.items():
            if name.lower() == "timecode" and _TIMECODE.fullmatch(value):
                return str(value)
    return None


def created_of(container: Any, stream: Any) -> str | None:
    """Return the date on which a container says it was made, ISO 8601 in UTC; `None` without one.

    It is the `creation_time` of the container, or of the pictures. Dates of clocks that were never
    set, from before there were such files, are none.

    Args:
        container: Open container, of PyAV.
        stream: Stream of its pictures.
    """
    for source_of_tags in (container, stream):
        text = source_of_tags.metadata.get("creation_time", "")
        try:
            created = date.fromisoformat(text[:10])
        except ValueError:
            continue
        if created >= _EARLIEST:
            return created.isoformat()
    return None


def _is_cover(stream: Any) -> bool:
    return bool(int(stream.disposition) & _ATTACHED_PICTURE)


def _is_one_picture(stream: Any) -> bool:
    """Return whether a stream may be a cover that nobody has marked as one."""
    codec = stream.codec_context
    return codec is not None and codec.name in _PICTURE_CODECS and stream.frames < 2


@contextmanager
def explained(
    path: str, what: str = "cannot be decoded", *, cure: str = "does it play in VLC?"
) -> Iterator[None]:
    """Turn whatever a library raises about a medium into an error with the medium's name.

    Decoders raise what they like on damaged files: also errors of the operating system, of text
    encodings and of arithmetic.

    Args:
        path: Path of the medium.
        what: What failed.
        cure: What to do or to try.

    Raises:
        InputError: The medium is at fault.
        ResourceError: Its storage does not work, or memory gave out.
    """
    try:
        yield
    except AnalyzerError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise ResourceError(f"{path}: out of memory; try a smaller --batch_size") from error
        reason = reason_of(error)
        if is_of_storage(error) and not _storage_works(path):
            raise ResourceError(f"{path}: {reason}; check its disk or mount") from error
        raise InputError(f"{path}: {what} ({reason}); {cure}") from error


def reason_of(error: Exception) -> str:
    """Return what an error says, with its type where it is not one of FFmpeg or the system."""
    said = getattr(error, "strerror", None)
    return said or f"{type(error).__name__}: {error}"


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether memory gave out; FFmpeg says so as well of files that state absurd sizes."""
    is_of_ffmpeg = hasattr(error, "errno")
    return isinstance(error, MemoryError) and not (is_of_ffmpeg and _has_memory())


def _has_memory() -> bool:
    """Return whether this process may have as much memory as the largest picture needs.

    The memory is asked for and not written to, so that none is taken.
    """
    try:
        mmap.mmap(-1, _AMPLE_BYTES).close()
    except (OSError, OverflowError):
        return False
    return True


def is_of_storage(error: BaseException) -> bool:
    """Return whether an error may be one of a disk or mount, not of a damaged file."""
    return isinstance(error, OSError) and error.errno in _STORAGE_ERRNOS


def _storage_works(path: str) -> bool:
    """Return whether a file can be read, from its beginning to its end, at some places."""
    try:
        with os.fdopen(source.open_file(path), "rb") as file:
            size = file.seek(0, 2)
            for look in range(_LOOKS + 1):
                file.seek(size * look // _LOOKS)
                file.read(1)
    except (OSError, InputError):
        return False
    return True
