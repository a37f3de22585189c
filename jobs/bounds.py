"""Which media may be read, and where results may be written.

Each function returns what is wrong in words that name the cure, or nothing. The joblist is held
against them when it is read, and each job again by the worker: links may have changed meanwhile.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from urllib.parse import urlsplit

from jobs.model import Bounds

RESULT_SUFFIXES = frozenset(
    ".csv .tsv .txt .ass .ssa .srt .vtt .mp4 .m4v .mkv .mov .webm .eaf .xml .json .jsonl .html"
    " .xlsx .parquet .npz .safetensors .jpg .jpeg .png .webp .pdf .zip".split()
)
"""What a file under an output root may be named; no script, no start-up file."""
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def is_address(source: str) -> bool:
    """Say whether a medium is given by an address, not a path."""
    return _ADDRESS.match(source) is not None


def source_fault(source: str, bounds: Bounds) -> str:
    """Return why a medium may not be read, or nothing."""
    if is_address(source):
        return _address_fault(source, bounds)
    root = bounds.input_root
    if root is not None and not _is_inside(os.path.realpath(source), root):
        return f"lies outside {root}: move the file there, or give another --input_root"
    return ""


def _address_fault(source: str, bounds: Bounds) -> str:
    if not bounds.allow_urls:
        return "is an address: download it and give the file, or serve with --allow_urls"
    return url_fault(source)


def url_fault(url: str) -> str:
    """Return why an address is not fetched, or nothing; the host is not looked up."""
    try:
        parts = urlsplit(url)
        known = bool(parts.hostname and parts.port != 0)
    except ValueError:
        known = False
    if not known:
        return "is not a complete address: write https://host/path"
    if parts.scheme.lower() != "https":
        return "is not fetched: only https addresses are"
    if parts.username is not None or parts.password is not None:
        return "holds a user name: take it out, for addresses stand in logs and in the ledger"
    if any(not 32 < ord(char) < 127 for char in url):
        return "holds spaces or letters beyond ASCII: write them in percent encoding"
    return ""


def dest_fault(
    dest: str, bounds: Bounds, *, real_folder: Callable[[str], str] = os.path.realpath
) -> str:
    """Return why a file may not be written, or nothing.

    Args:
        dest: An absolute path.
        bounds: Of the server.
        real_folder: Resolves the links of a folder.
    """
    root = bounds.output_root
    if root is None:
        return ""
    folder, name = os.path.split(dest)
    if not _is_inside(real_folder(folder), root):
        return f"lies outside {root}: change it, or give another --output_root"
    if os.path.splitext(name)[1].lower() not in RESULT_SUFFIXES:
        return "has a suffix that no result has: end it in .csv, .ass, .mp4 or the like"
    return ""


def _is_inside(real: str, root: str) -> bool:
    home = os.path.realpath(root)
    return os.path.commonpath([real, home]) == home
