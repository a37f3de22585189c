"""Search for a name in texts, and in texts inside zips."""

import html
import json
import mmap
import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

from analyzer.errors import InputError
from ina_input import regular
from ina_input.archives import open_zip

_PICTURES = frozenset((".jpg", ".jpeg", ".png", ".webp", ".mp4", ".mkv", ".mov", ".webm"))


def contains_name(path: Path, name: str | None) -> bool:
    """Return whether a file has a name in it, as a word, in any form that formats write.

    Pictures and videos are not searched: what is drawn in them is no text.
    """
    if not name or path.suffix.lower() in _PICTURES:
        return False
    words = {name, json.dumps(name)[1:-1], html.escape(name)}
    either = "|".join(re.escape(word) for word in sorted(words))
    pattern = re.compile(rb"(?<!\w)(?:" + either.encode("utf-8", "surrogateescape") + rb")(?!\w)")
    return any(pattern.search(content) for content in _contents(path))


def is_closed(path: Path) -> bool:
    """Return whether no search sees into a file: it is neither a text nor a zip of texts."""
    if _is_zip(path):
        return False
    with regular.open_binary(path) as stream:
        return b"\0" in stream.read(1 << 16)


def _contents(path: Path) -> Iterator[bytes]:
    """Yield what a file holds; of a zip, its files one after the other."""
    if _is_zip(path):
        try:
            with open_zip(path) as archive:
                yield "\n".join(archive.names).encode("utf-8", "surrogateescape")
                yield from map(archive.read, archive.names)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be searched ({error}): delete it") from error
    elif path.stat().st_size:
        with (
            regular.open_binary(path) as stream,
            mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as m,
        ):
            yield m  # type: ignore[misc]  # as good as bytes to a pattern


def _is_zip(path: Path) -> bool:
    with regular.open_binary(path) as stream:
        try:
            return zipfile.is_zipfile(stream)
        except (zipfile.BadZipFile, struct.error):  # one that cannot be read
            return True
