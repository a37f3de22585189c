"""Safe opening of media: regular local files of limited size that refer to no other files."""

import errno
import os

from analyzer.errors import InputError
from ina_input import regular
from ina_input.regular import Location

CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,mxf,asf,ogg,flv,dv,nut,"
    "h264,hevc,vc1,ivf,rm,gif,wtv,gxf,lxf,swf,y4m,yuv4mpegpipe"
)
"""Allowed containers. Playlists (HLS, DASH, concat) are not among them: they make a decoder read
other files."""
MAX_SIDE_PX = 8192
MAX_PIXELS = MAX_SIDE_PX**2
MAX_DURATION_S = 24 * 3600


def open_listed(path: Location) -> int:
    """Open a file that a joblist names: a gallery's, corrections, a part; see `regular`.

    Raises:
        OSError: The file is missing, unreadable, or not a regular file.
    """
    return regular.open_descriptor(path)


def open_file(path: str) -> int:
    """Open a medium and check that it is a regular file with content.

    The open file is checked, not its path: the path may lead to another file a moment later. A
    process that reads the descriptor needs no right to open files.

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
            f"{MAX_SIDE_PX}; scale the video down"
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
