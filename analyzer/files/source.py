"""Safe opening of media: regular local files of limited size that refer to no other files."""

import errno
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from analyzer.errors import InputError
from analyzer.files.text import is_utf8
from ina_input import regular
from ina_input.regular import Location
from joblist import beneath
from joblist.names import spelled

CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,mxf,asf,ogg,flv,dv,nut,"
    "h264,hevc,vc1,ivf,rm,gif,wtv,gxf,lxf,swf,y4m,yuv4mpegpipe"
)
"""Allowed containers. Playlists (HLS, DASH, concat) are not among them: they make a decoder read
other files."""
MAX_SIDE_PX = 8192
MAX_PIXELS = MAX_SIDE_PX**2
MAX_DURATION_S = 24 * 3600
_NAMED = 5
"""Files that a note names; others are counted."""
_roots: tuple[str, ...] = ()
"""Folders of which one must hold all that is read; see `limited_to`."""


@contextmanager
def limited_to(*roots: str | None) -> Iterator[None]:
    """Let this process read only what lies in one of some folders, while the context lasts.

    It holds for all threads: decoders have some of their own.

    Args:
        roots: The folders; one that is None lifts the limit.
    """
    global _roots
    before, _roots = _roots, () if None in roots else tuple(r for r in roots if r is not None)
    try:
        yield
    finally:
        _roots = before


def _roots_for(path: str) -> Sequence[str]:
    """Return the folders that a path must lie in; a file that is open already may lie anywhere."""
    return () if path.startswith(f"/proc/{os.getpid()}/fd/") else _roots


def open_listed(path: Location) -> int:
    """Open a file that a joblist names: a gallery's, corrections, a part; see `regular`.

    Under `limited_to`, no link leads out of the folders.

    Raises:
        OSError: The file is missing, unreadable, not a regular file, or outside the folders.
    """
    roots = _roots_for(str(path))
    found = spelled(os.fspath(path))
    if not roots:
        return regular.open_descriptor(found)
    return regular.checked(beneath.open_to_read(found, roots), found)


def open_file(path: str) -> int:
    """Open a medium and check that it is a regular file with content.

    The open file is checked, not its path: the path may lead to another file a moment later. A
    process that reads the descriptor needs no right to open files. Under `limited_to`, no link
    leads out of the folders.

    Args:
        path: Path of the medium.

    Returns:
        File descriptor, which the caller closes.

    Raises:
        InputError: The file is missing, unreadable, not a regular file, or empty.
    """
    if "://" in path and not os.path.exists(path):
        raise InputError(f"{path}: an address, not a file; download it and give the file")
    try:
        descriptor = open_listed(path)
    except OSError as error:
        raise InputError(_reason(path, error)) from error
    if os.fstat(descriptor).st_size == 0:
        os.close(descriptor)
        raise InputError(f"{path}: the file is empty; copy it again from its source")
    return descriptor


def names_in(folder: str) -> list[str]:
    """Return the names in a folder, sorted; under `limited_to`, of one in these folders.

    Raises:
        OSError: It cannot be read.
    """
    return beneath.names_in(spelled(folder), _roots_for(folder))


def left_out(folder: str, names: Sequence[str], kind: str) -> str:
    """Return a note on files that are left out of a folder.

    Args:
        folder: Path of the folder.
        names: Names of the files.
        kind: What the others are by their names, such as `pictures`.
    """
    named = ", ".join([*names[:_NAMED], *(("...",) if len(names) > _NAMED else ())])
    return f"{folder}: {len(names)} files are left out, by their names no {kind}: {named}"


@contextmanager
def held(path: str) -> Iterator[str]:
    """Yield a path for programs that open files themselves, and take UTF-8 names only.

    Under `limited_to` it leads to the open file. It has the suffix of the medium, by which some
    formats are known.

    Raises:
        InputError: As in `open_file`.
    """
    if not _roots_for(path) and is_utf8(path):
        yield path
        return
    with (
        os.fdopen(open_file(path), "rb") as file,
        tempfile.TemporaryDirectory(prefix="ina-medium-") as folder,
    ):
        link = Path(folder, "medium").with_suffix(Path(path).suffix)
        link.symlink_to(f"/proc/{os.getpid()}/fd/{file.fileno()}")
        yield str(link)


def _reason(path: str, error: OSError) -> str:
    """Return why a path cannot be opened, and what to do."""
    if "\0" in path:
        return f"{path!r}: not a path"
    if error.errno in (errno.EISDIR, errno.EINVAL):
        return f"{path}: not a regular file; give the path of a media file"
    return f"{path}: {error.strerror}; check the path and its rights"


def require_size(path: str, width: int, height: int) -> None:
    """Refuse pictures that need too much memory.

    Args:
        path: Path of the medium.
        width: Width of its pictures, in pixels.
        height: Height of its pictures, in pixels.

    Raises:
        InputError: A side is longer than `MAX_SIDE_PX`.
    """
    if max(width, height) > MAX_SIDE_PX:
        raise InputError(
            f"{path}: pictures of {width} x {height} are larger than {MAX_SIDE_PX} x "
            f"{MAX_SIDE_PX}; scale it down"
        )


def require_duration(path: str, seconds: float) -> None:
    """Refuse media that are too long to analyse.

    Args:
        path: Path of the medium.
        seconds: Duration of the medium.

    Raises:
        InputError: The medium is longer than `MAX_DURATION_S`.
    """
    if seconds > MAX_DURATION_S:
        raise InputError(
            f"{path}: {seconds / 3600:.1f} h are more than {MAX_DURATION_S // 3600} h; "
            "cut it, or take a part of it with --stop"
        )
