"""Films that were joined byte by byte, of which FFmpeg reads the first only, and says nothing."""

import os
from collections.abc import Iterator
from itertools import takewhile
from typing import Any

from analyzer.files import source

_OGG_PAGE = b"OggS\0"
_OGG_BYTES = 1 << 18
"""More than the largest page of Ogg: so many bytes hold the first pages, or the last one."""
_BOX_HEADER, _LONG_BOX_HEADER = 8, 16
_ASF_GUID, _ASF_HEADER = 16, bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_FLV_SIGNATURE, _FLV_TAG_HEADER, _FLV_TAG_END = b"FLV", 11, 4
_MOST_TAGS = 10_000
"""Of sound behind the last picture of an FLV."""


def has_second_film(path: str, container: Any) -> bool:
    """Return whether a file holds a second film that is not read.

    MP4 and MOV have then another table of pictures, ASF another header, and the last page of Ogg is
    of other streams than the first ones.

    Args:
        path: Path of the file.
        container: Open container.
    """
    look = {"ogg": _is_of_two_oggs, "asf": _is_of_two_asfs}.get(container.format.name)
    if container.format.name.startswith("mov"):
        look = _is_of_two_movs
    if look is None:
        return False
    descriptor = source.open_file(path)
    try:
        return look(descriptor)
    finally:
        os.close(descriptor)


def is_followed(path: str, container: Any, position: int | None) -> bool:
    """Return whether a second film follows behind the last picture that was read of an FLV.

    Args:
        path: Path of the file.
        container: Open container.
        position: Position of the tag of that picture, in bytes.
    """
    if position is None or container.format.name != "flv":
        return False
    with os.fdopen(source.open_file(path), "rb") as file:
        for _ in range(_MOST_TAGS):
            file.seek(position)
            header = file.read(_FLV_TAG_HEADER)
            if header.startswith(_FLV_SIGNATURE):
                return True
            if len(header) < _FLV_TAG_HEADER:
                break
            position += _FLV_TAG_HEADER + int.from_bytes(header[1:4], "big") + _FLV_TAG_END
    return False


def _is_of_two_oggs(descriptor: int) -> bool:
    start = os.pread(descriptor, _OGG_BYTES, 0)
    length = os.fstat(descriptor).st_size
    end = os.pread(descriptor, _OGG_BYTES, max(0, length - _OGG_BYTES))
    last = end.rfind(_OGG_PAGE)
    serial = end[last + 14 : last + 18]
    return last >= 0 and len(serial) == 4 and serial not in _first_serials(start)


def _first_serials(pages: bytes) -> list[bytes]:
    """Return the serial numbers of the streams that begin with the first pages of an Ogg file."""
    bodies = pages.split(_OGG_PAGE)[1:]
    return [body[9:13] for body in takewhile(lambda body: body[:1] and body[0] & 2, bodies)]


def _is_of_two_movs(descriptor: int) -> bool:
    return sum(kind == b"moov" for kind in _boxes(descriptor)) > 1


def _boxes(descriptor: int) -> Iterator[bytes]:
    """Yield the kind of each box at the top level, up to one that makes no sense."""
    position = 0
    while len(header := os.pread(descriptor, _LONG_BOX_HEADER, position)) >= _BOX_HEADER:
        yield header[4:8]
        size, least = int.from_bytes(header[:4], "big"), _BOX_HEADER
        if size == 1:
            size, least = int.from_bytes(header[8:16], "big"), _LONG_BOX_HEADER
        if size < least:  # 0: to the end of the file
            return
        position += size


def _is_of_two_asfs(descriptor: int) -> bool:
    position, headers = 0, 0
    while len(start := os.pread(descriptor, _ASF_GUID + 8, position)) == _ASF_GUID + 8:
        headers += start.startswith(_ASF_HEADER)
        size = int.from_bytes(start[_ASF_GUID:], "little")
        if size < len(start):
            break
        position += size
    return headers > 1
