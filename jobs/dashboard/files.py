"""Files that the page links to: finished reviews and their media, whole or in byte ranges."""

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

from joblist.beneath import open_to_read
from jobs.types import Job, State

REVIEW = "html"
"""Exporter of the review page."""
RANGE_HEADER = re.compile(r"bytes=(\d*)-(\d*)")


@dataclass
class FileRange:
    """A range of bytes of an open file."""

    stream: BinaryIO
    """File, at the first byte of the range."""
    first: int
    """Offset of the first byte."""
    last: int
    """Offset of the last byte."""
    size: int
    """Size of the whole file, in bytes."""

    @property
    def length(self) -> int:
        """Number of bytes in the range."""
        return self.last - self.first + 1


class ReviewAddresses:
    """Secret addresses of review pages.

    A browser cannot send a token when it follows a link, so the address itself is the token: it
    contains a code that is valid for one job, while the server runs.
    """

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def _code(self, job: int) -> str:
        return hmac.new(self._secret, str(job).encode(), "sha256").hexdigest()[:32]

    def address(self, job: Job) -> str | None:
        """Return the address of the review page of a job; None if it has no page."""
        path = _review_page(job)
        if path is None:
            return None
        return f"/review/{job.id}/{self._code(job.id)}{quote(os.fsencode(path))}"

    def number(self, address: str) -> int | None:
        """Return the job of an address; None if the code in it is wrong."""
        match = re.match(r"/review/(\d{1,18})/([0-9a-f]{32})/", address)
        if not match or not hmac.compare_digest(match[2], self._code(int(match[1]))):
            return None
        return int(match[1])


def requested_file(job: Job, address: str) -> str | None:
    """Return the review page or the medium of a job; None for an address of any other file.

    The page names its medium by a relative path, so the address of the medium follows from that of
    the page.

    Args:
        job: Job of the address.
        address: Address with a code, as `ReviewAddresses.address` returns it.
    """
    path = "/" + unquote(address.split("/", 4)[4], errors="surrogateescape")
    page = _review_page(job)
    if page is None or path not in (page, job.spec.source_path):
        return None
    return path


def is_page(path: str) -> bool:
    """Return whether a file is a review page, not a medium."""
    return path.endswith((".html", ".htm"))


def content_type(path: str) -> str | None:
    """Return the content type of a review page or a medium; None for any other file."""
    if is_page(path):
        return "text/html; charset=utf-8"
    guessed = mimetypes.guess_type(path)[0] or ""
    return guessed if guessed.startswith(("video/", "audio/")) else None


def open_range(path: str, header: str | None, root: str | None = None) -> FileRange | None:
    """Open a regular file at the bytes that a browser requests.

    Args:
        path: Path of the file.
        header: Value of the header `Range`; ignored unless it names exactly one range.
        root: Folder that the file must lie in; None for no such limit.

    Returns:
        The range; None if it lies outside the file.

    Raises:
        OSError: The file cannot be read, or is not a regular file.
    """
    handle = open_to_read(path, [root] if root else [])
    stream = os.fdopen(handle, "rb")
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode):
        stream.close()
        raise FileNotFoundError(f"{path} is not a regular file")
    first, last = _byte_range(header, info.st_size)
    if first > last and info.st_size:
        stream.close()
        return None
    stream.seek(first)
    return FileRange(stream, first, last, info.st_size)


def _byte_range(header: str | None, size: int) -> tuple[int, int]:
    """Return the offsets of the first and the last byte."""
    match = RANGE_HEADER.fullmatch(header or "")
    if not match or match[0] == "bytes=-":
        return 0, size - 1
    if not match[1]:
        return max(0, size - int(match[2])), size - 1
    return int(match[1]), min(size - 1, int(match[2] or size - 1))


def _review_page(job: Job) -> str | None:
    """Return the path of the review page of a job; None before it is published."""
    if job.state not in (State.DONE, State.SKIPPED) or job.manifest is None:
        return None
    file = job.manifest.files.get(REVIEW)
    return file.path if file and is_page(file.path) and file.path.startswith("/") else None
