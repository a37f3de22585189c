"""What may be opened at all: regular local files, in containers that name no other file."""

import os
import stat

from analyzer.errors import InputError

# Playlists (HLS, DASH, concat) are left out: they make a decoder read files of their own choice.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,mxf,asf,ogg,flv,dv,nut,"
    "h264,hevc,vc1,ivf,rm,gif,wtv,gxf,lxf,swf,y4m,yuv4mpegpipe"
)
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": CONTAINERS}


def local_file(path: str) -> str:
    """Check a path and return it as a ``file:`` URL that no protocol prefix can hijack.

    Raises:
        InputError: missing, unreadable, not a regular file, or empty.
    """
    try:
        info = os.stat(path)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; check the path and its rights") from error
    except ValueError as error:  # a NUL in the path
        raise InputError(f"{path!r}: not a path") from error
    if not stat.S_ISREG(info.st_mode):
        raise InputError(f"{path}: not a regular file; give the path of a media file")
    if info.st_size == 0:
        raise InputError(f"{path}: the file is empty; copy it again from its source")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path}: no right to read it")
    return "file:" + os.path.realpath(path)
