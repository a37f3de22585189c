"""Names of files: short enough with their endings, and found in either form of their letters."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import replace
from hashlib import blake2b

from joblist.model import JobSpec, is_address

MAX_BYTES = 255 - 64
"""Bytes of a file's name that the name of its part file may begin with."""
MAX_SUFFIX_BYTES = 16


def beside(path: str, ending: str) -> str:
    """Return a path in the same folder, with an ending; a name too long is shortened by a digest.

    Args:
        path: Path of a file. A short suffix of it is kept: some formats depend on it.
        ending: End of the name, of 64 bytes at most.
    """
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{shortened(name, MAX_BYTES, with_suffix=True)}{ending}"


def shortened(name: str, most: int, *, with_suffix: bool = False) -> str:
    """Return a name of limited length: where it is cut, a digest tells it from others.

    Args:
        name: Name of a file.
        most: Largest number of bytes.
        with_suffix: Whether a short suffix is kept.
    """
    raw = os.fsencode(name)
    if len(raw) <= most:
        return name
    suffix = os.fsencode(os.path.splitext(name)[1]) if with_suffix else b""
    suffix = suffix if len(suffix) <= MAX_SUFFIX_BYTES else b""
    tail = b"~" + blake2b(raw, digest_size=8).hexdigest().encode() + suffix
    # A letter that is cut in its middle is left out.
    return raw[: most - len(tail)].decode("utf-8", "ignore") + os.fsdecode(tail)


def spelled(path: str) -> str:
    """Return a path as the file system has it, where its letters are composed in another way.

    An accented letter is one character (NFC) or two (NFD): both look the same, and Linux takes them
    for two names. A path that exists is returned as it is, and so is one with several namesakes.

    Args:
        path: Path of a file or folder, or an address, which is never changed.
    """
    if path.isascii() or is_address(path) or os.path.lexists(path):
        return path
    above, name = os.path.split(path.rstrip("/"))
    folder = spelled(above)
    wanted = unicodedata.normalize("NFC", name)
    try:
        matching = [n for n in os.listdir(folder or ".") if _is_spelling(n, wanted)]
    except (OSError, ValueError):
        return path
    return os.path.join(folder, matching[0]) if len(matching) == 1 else path


def spelled_spec(spec: JobSpec) -> JobSpec:
    """Return a row with the paths that it reads as the file system has them."""
    return replace(
        spec,
        source_path=spelled(spec.source_path),
        poster_path=spec.poster_path and spelled(spec.poster_path),
        gallery=spec.gallery and spelled(spec.gallery),
        corrections=spec.corrections and spelled(spec.corrections),
    )


def _is_spelling(name: str, wanted: str) -> bool:
    return unicodedata.normalize("NFC", name) == wanted
