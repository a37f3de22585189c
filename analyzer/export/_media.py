"""The medium that a report is of, as other programs want it named."""

import os
from pathlib import Path
from urllib.parse import quote

from analyzer.errors import UsageError
from analyzer.types import MediaReport

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


def require_video(report: MediaReport, exporter: str) -> None:
    """Refuse stills, which have no times.

    Raises:
        UsageError: the report is not of a video.
    """
    if report.info.kind != "video":
        raise UsageError(
            f"{report.info.uri}: for {exporter} you need a video; export stills as csv, json, "
            "parquet, webannotation or xlsx"
        )


def file_url(path: str) -> str:
    """``file:///...``, percent-encoded, whatever bytes the path has."""
    return Path(os.path.abspath(path)).as_uri()


def relative_url(path: str, folder: Path) -> str:
    """Percent-encoded, seen from a folder."""
    below = os.path.relpath(os.path.abspath(path), os.path.abspath(folder))
    return quote(os.fsencode(below if below.startswith("..") else f"./{below}"))


def mime_type(path: str) -> str:
    """By the suffix; ``video/*`` where that is unknown."""
    return _MIME_TYPES.get(Path(path).suffix.lower(), "video/*")
