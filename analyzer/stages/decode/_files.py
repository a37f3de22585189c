"""Video files as containers, and what their packets say before any picture is decoded."""

import os
from collections.abc import Callable
from typing import Any

import av
import av.error

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.stages.decode._index import LIVE_GAP_S, STEADY_GAP_S, PacketIndex, read_index
from analyzer.stages.decode._stamps import lacks_presentation, may_reorder

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM", b"II*\0", b"MM\0*", b"P5", b"P6")
"""First bytes of JPEG, PNG, BMP, TIFF, PGM and PPM."""


def index_of_path(path: str, alive: Callable[[], None]) -> PacketIndex | None:
    """Read the index of a file; see `index_of_descriptor`."""
    descriptor = source.open_file(path)
    try:
        return index_of_descriptor(path, descriptor, alive)
    finally:
        os.close(descriptor)


def index_of_descriptor(
    path: str, descriptor: int, alive: Callable[[], None]
) -> PacketIndex | None:
    """Read all packets of the pictures without decoding any.

    Args:
        path: Path of the file, for messages.
        descriptor: Descriptor of the open file; afterwards it stands at the beginning again.
        alive: Callback, called with each packet.

    Returns:
        The index; `None` where there is no picture, or where packets do not tell enough.
    """
    with open_container(path, descriptor) as container:
        stream = container.streams.best("video")
        index, by_decoding = None, lacks_presentation(container)
        if stream is not None and not (by_decoding and may_reorder(stream)):
            gaps_s = STEADY_GAP_S if clock_jumps(container) else None
            gaps_s = LIVE_GAP_S if is_live(container) else gaps_s
            index = read_index(container, stream, gaps_s, alive, by_decoding=by_decoding)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return index


def clock_jumps(container: Any) -> bool:
    """Return whether the clock of a container may break off, and its length is an estimate."""
    return bool(container.format.name.startswith("mpeg"))


def is_live(container: Any) -> bool:
    """Return whether stamps may be those of a live stream, and the stated length theirs."""
    return bool(container.format.name == "flv")


def open_container(path: str, descriptor: int) -> Any:
    """Open a container that can read from this descriptor, and from nothing else.

    Args:
        path: Path of the file, for messages.
        descriptor: Descriptor of the open file.

    Raises:
        InputError: Not a video that can be read.
    """
    options = {
        "fd": str(descriptor),
        "protocol_whitelist": "fd",
        "format_whitelist": source.CONTAINERS,
        "max_pixels": str(source.MAX_PIXELS),
    }
    try:
        return av.open("fd:", options=options)
    except (av.error.FFmpegError, OSError) as error:
        if _is_picture(descriptor):
            raise InputError(f"{path}: a picture; analyse pictures with --engine image") from error
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path}: not a video that can be read ({reason}); does it play in VLC?"
        ) from error


def _is_picture(descriptor: int) -> bool:
    """Return whether an open file begins as pictures do."""
    start = os.pread(descriptor, 12, 0)
    return start.startswith(_PICTURES) or (start[:4] == b"RIFF" and start[8:] == b"WEBP")
