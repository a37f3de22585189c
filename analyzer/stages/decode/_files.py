"""Video files as containers, and what their packets say before any picture is decoded."""

import os
from collections.abc import Callable
from typing import Any

import av

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.files.containers import explained, picture_stream
from analyzer.stages.decode._index import LIVE_GAP_S, STEADY_GAP_S, PacketIndex, read_index
from analyzer.stages.decode._stamps import lacks_presentation, may_reorder

_PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n", b"BM", b"II*\0", b"MM\0*", b"P5", b"P6")
"""First bytes of JPEG, PNG, BMP, TIFF, PGM and PPM."""
NO_PICTURE = "no picture in it, only sound or data"
_SOUNDS = (b"ID3", b"fLaC", b"\xff\xfb", b"\xff\xf1", b"\xff\xf9", b"FORM", b".snd", b"#!AMR")
"""First bytes of MP3, FLAC, AAC, AIFF, AU and AMR."""


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
        stream = picture_stream(container)
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
        ResourceError: Its storage does not work.
    """
    options = {
        "fd": str(descriptor),
        "protocol_whitelist": "fd",
        "format_whitelist": source.CONTAINERS,
        "max_pixels": str(source.MAX_PIXELS),
    }
    try:
        with explained(path, "not a video that can be read"):
            # Titles are of any encoding, in containers that allow UTF-8 only as well.
            return av.open("fd:", options=options, metadata_errors="replace")
    except InputError as error:
        start = os.pread(descriptor, 12, 0)
        if _is_picture(start):
            raise InputError(f"{path}: a picture; analyse pictures with --engine image") from error
        if _is_sound(start):
            raise InputError(f"{path}: {NO_PICTURE}") from error
        raise


def _is_picture(start: bytes) -> bool:
    """Return whether a file with these first bytes is a picture."""
    return start.startswith(_PICTURES) or (start[:4] == b"RIFF" and start[8:] == b"WEBP")


def _is_sound(start: bytes) -> bool:
    """Return whether a file with these first bytes is sound alone."""
    return start.startswith(_SOUNDS) or (start[:4] == b"RIFF" and start[8:] == b"WAVE")
