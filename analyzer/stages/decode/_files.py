"""Files as containers, and what their packets tell before any picture is decoded."""

import os
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import av
import av.error

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.stages.decode._index import Index, read_index
from analyzer.stages.decode._pictures import packets


def index_of(path: str, alive: Callable[[], None]) -> Index | None:
    """All packets of the pictures of a file; see `packets_of`."""
    descriptor = source.open_file(path)
    try:
        return packets_of(path, descriptor, alive)
    finally:
        os.close(descriptor)


def stamps(path: str, descriptor: int) -> list[Fraction]:
    """The timestamps of all pictures in order, in seconds, without decoding any."""
    with open_container(path, descriptor) as container:
        stream = container.streams.best("video")
        found = () if stream is None else filter(None, packets(container, stream))
        shown = [p.pts * p.time_base for p in found if p.pts is not None and not p.is_discard]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return sorted(shown)


def packets_of(path: str, descriptor: int, alive: Callable[[], None]) -> Index | None:
    """All packets of the pictures, read without decoding any."""
    with open_container(path, descriptor) as container:
        stream = container.streams.best("video")
        jumps = clock_jumps(container)
        index = None if stream is None else read_index(container, stream, jumps, alive)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return index


def clock_jumps(container: Any) -> bool:
    """Whether the clock of a container may break off, and its length is an estimate."""
    return bool(container.format.name.startswith("mpeg"))


def open_container(path: str, descriptor: int) -> Any:
    """Open a container that can read from this descriptor, and from nothing else."""
    options = {
        "fd": str(descriptor),
        "protocol_whitelist": "fd",
        "format_whitelist": source.CONTAINERS,
        "max_pixels": str(source.MAX_PIXELS),
    }
    try:
        return av.open("fd:", options=options)
    except (av.error.FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(
            f"{path}: not a video that can be read ({reason}); does it play in VLC?"
        ) from error
