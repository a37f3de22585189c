"""Addresses of a report's medium for other programs."""

import os
from pathlib import Path
from urllib.parse import quote

from analyzer.files import source

OPEN_OPTIONS = {
    "protocol_whitelist": "file",
    "format_whitelist": source.CONTAINERS,
    "max_pixels": str(source.MAX_PIXELS),
}
"""Options of PyAV and ffmpeg that limit what they open as the medium."""
_MIME_TYPES = {
    ".avi": "video/x-msvideo",
    ".m4v": "video/mp4",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpeg",
    ".ogv": "video/ogg",
    ".ts": "video/mp2t",
    ".webm": "video/webm",
    ".wmv": "video/x-ms-wmv",
}
"""Not those of the system, which differ from machine to machine."""


def ffmpeg_url(path: str) -> str:
    """Return an address that PyAV and ffmpeg take as a file, never as a protocol or pattern."""
    return f"file:{Path(path).absolute()}"


def file_url(path: str) -> str:
    """Return the percent-encoded address `file:///...` of a path of any bytes."""
    return Path(os.path.abspath(path)).as_uri()


def relative_url(path: str, folder: Path) -> str:
    """Return the percent-encoded address of a path, relative to a folder."""
    below = os.path.relpath(os.path.abspath(path), os.path.abspath(folder))
    return quote(os.fsencode(below if below.startswith("..") else f"./{below}"))


def mime_type(path: str) -> str:
    """Return the MIME type by the suffix; `video/*` for an unknown one."""
    return _MIME_TYPES.get(Path(path).suffix.lower(), "video/*")
