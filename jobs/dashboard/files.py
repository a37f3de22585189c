"""Files that the page links: finished reviews and their media, in pieces."""

from __future__ import annotations

import hmac
import mimetypes
import os
import re
import secrets
import stat
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import quote, unquote

from jobs.types import Job, State

REVIEW = "html"
"""Exporter of the page that is linked."""
RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass
class Piece:
    """A part of an open file."""

    stream: BinaryIO
    first: int
    last: int
    size: int
    """Of the whole file, in bytes."""

    @property
    def length(self) -> int:
        """Number of bytes."""
        return self.last - self.first + 1


class Reviews:
    """Addresses of reviews, which only those know who were given them.

    A page in the browser cannot show a token when it follows a link, so the address is one: it
    holds a code that is good for one job, while the server runs.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def _code(self, job: int) -> str:
        return hmac.new(self._secret, str(job).encode(), "sha256").hexdigest()[:32]

    def address(self, job: Job) -> str | None:
        """Return the path of a job's review page; None where there is none."""
        path = _page(job)
        if path is None:
            return None
        return f"/review/{job.id}/{self._code(job.id)}{quote(os.fsencode(path))}"

    def number(self, address: str) -> int | None:
        """Return the job that an address is about, if its code is right."""
        match = re.match(r"/review/(\d{1,18})/([0-9a-f]{32})/", address)
        if not match or not hmac.compare_digest(match[2], self._code(int(match[1]))):
            return None
        return int(match[1])


def wanted(job: Job, address: str) -> str | None:
    """Return the file that an address of a job means: its review page or its medium, no other.

    The page names its medium by a relative path, which leads from its own address to the other.
    """
    path = "/" + unquote(address.split("/", 4)[4], errors="surrogateescape")
    page = _page(job)
    if page is None or path not in (page, job.spec.source_path):
        return None
    return path


def is_page(path: str) -> bool:
    """Say whether a file is a review page, not a medium."""
    return path.endswith((".html", ".htm"))


def content_type(path: str) -> str | None:
    """Return the type of a review page or a medium; None for all that browsers may not be shown."""
    if is_page(path):
        return "text/html; charset=utf-8"
    guessed = mimetypes.guess_type(path)[0] or ""
    return guessed if guessed.startswith(("video/", "audio/")) else None


def open_piece(path: str, span: str | None) -> Piece | None:
    """Open a regular file at the bytes that a browser asks for.

    Args:
        path: The file.
        span: The header `Range`, which is ignored unless it names one stretch.

    Returns:
        None where there is no such stretch.

    Raises:
        OSError: The file cannot be read.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    stream = os.fdopen(handle, "rb")
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode):
        stream.close()
        raise FileNotFoundError(f"{path} is not a regular file")
    first, last = _stretch(span, info.st_size)
    if first > last and info.st_size:
        stream.close()
        return None
    stream.seek(first)
    return Piece(stream, first, last, info.st_size)


def _stretch(span: str | None, size: int) -> tuple[int, int]:
    match = RANGE.fullmatch(span or "")
    if not match or match[0] == "bytes=-":
        return 0, size - 1
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    return int(match[1]), min(size - 1, int(match[2] or size - 1))


def _page(job: Job) -> str | None:
    """Return the file of a job's review page, once it is published."""
    if job.state not in (State.DONE, State.SKIPPED) or job.manifest is None:
        return None
    file = job.manifest.files.get(REVIEW)
    return file.path if file and is_page(file.path) and file.path.startswith("/") else None
