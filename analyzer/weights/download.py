"""Downloads that continue where an earlier one broke off; a downloader for pooch.

pooch's own downloaders start again each time. Here, received bytes stay in `NAME.part`, and
`NAME.part.json` notes their address and the server's version of the file. If the version has
changed, or the server does not support parts, it sends the whole file.
"""

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import requests

from analyzer.errors import ResourceError
from analyzer.files.atomic import atomic_write_bytes
from ina_input import documents

OnProgress = Callable[[int, int], None]
"""Function that is called with the number of received bytes and of all bytes (0 if unknown)."""
_BLOCK_BYTES = 1 << 16


class Download:
    """Download over HTTP; a downloader for pooch.

    Args:
        part: Path for the received bytes; its folder exists.
        timeout_s: Time without an answer after which the download is given up, in seconds.
        on_progress: Function that is called with the number of received bytes and of all bytes.
    """

    def __init__(self, part: Path, *, timeout_s: float, on_progress: OnProgress) -> None:
        self._part, self._timeout_s, self._on_progress = part, timeout_s, on_progress
        self._note = part.with_name(f"{part.name}.json")

    @property
    def kept_bytes(self) -> int:
        """Number of bytes that another try does not fetch again."""
        return self._part.stat().st_size if self._note.is_file() and self._part.is_file() else 0

    def __call__(self, url: str, output_file: str, _: object) -> None:
        """Download a complete file.

        Args:
            url: Address of the file.
            output_file: Path of the downloaded file.

        Raises:
            OSError: The address cannot be reached, the download broke off, or the disk is full.
            ResourceError: Another process is downloading the file.
        """
        with _locked(self._part) as file:
            try:
                self._fetch(url, file)
            except BaseException:
                if not self._note.is_file():  # without it, no other try can continue
                    self._part.unlink()
                raise
            self._note.unlink(missing_ok=True)
            os.replace(self._part, output_file)

    def _fetch(self, url: str, file: BinaryIO) -> None:
        """Request the rest of a file, or all of it, and append it to the part."""
        received, version = file.seek(0, os.SEEK_END), self._noted_version(url)
        headers = {"Accept-Encoding": "identity"}
        if received and version:
            headers |= {"Range": f"bytes={received}-", "If-Range": version}
        with requests.get(url, headers=headers, timeout=self._timeout_s, stream=True) as answer:
            continues = _continues(answer, received, version)
            if "Range" in headers and not continues and answer.status_code in (206, 416):
                file.truncate(0)  # the answer is not the rest of this part
                return self._fetch(url, file)
            answer.raise_for_status()
            if not continues:
                received = 0
                file.truncate(0)
                self._note_version(url, answer)
            return self._receive(answer, file, received)

    def _receive(self, answer: requests.Response, file: BinaryIO, received: int) -> None:
        """Append the content of an answer to the part; `received` bytes are there already."""
        length = int(answer.headers.get("Content-Length", 0))
        total = received + length if length else 0
        self._on_progress(received, total)
        for block in answer.iter_content(_BLOCK_BYTES):
            file.write(block)
            received += len(block)
            self._on_progress(received, total)
        file.flush()

    def _noted_version(self, url: str) -> str:
        """Return the server's version of the part, from its note; empty if unknown."""
        try:
            note: Mapping[str, str] = documents.read(self._note)
            return str(note["version"]) if note["address"] == url else ""
        except (OSError, KeyError, TypeError, ValueError):
            return ""

    def _note_version(self, url: str, answer: requests.Response) -> None:
        """Write the note of a part, or remove it if the server states no version."""
        version = _version_of(answer)
        if version:
            note = json.dumps({"address": url, "version": version})
            try:
                atomic_write_bytes(self._note, note.encode())
            except ResourceError as error:
                # The caller explains it as it explains an error at the part itself.
                raise error.__cause__ or error from None
        else:
            self._note.unlink(missing_ok=True)


@contextmanager
def _locked(part: Path) -> Iterator[BinaryIO]:
    """Open a part to append to it, in one process at a time.

    Raises:
        ResourceError: Another process has opened it.
    """
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Another process may have completed and renamed the part before the lock.
            is_locked = os.path.samestat(os.fstat(file.fileno()), part.stat())
        except (BlockingIOError, FileNotFoundError):
            is_locked = False
        if not is_locked:
            raise ResourceError(f"{part}: another process is fetching it; wait for it to end")
        yield file


def _continues(answer: requests.Response, received: int, version: str) -> bool:
    """Return whether an answer is the rest of a file after the received bytes."""
    content_range = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return (
        answer.status_code == 206
        and content_range is not None
        and int(content_range[1]) == received
        and _version_of(answer) in ("", version)
    )


def _version_of(answer: requests.Response) -> str:
    """Return the tag or the date by which versions of a file differ; empty if not stated."""
    headers: Mapping[str, Any] = answer.headers
    if headers.get("Content-Encoding", "identity") != "identity":
        return ""  # the bytes of the answer are not those of the file
    tag = str(headers.get("ETag", "W/"))
    return str(headers.get("Last-Modified", "")) if tag.startswith("W/") else tag
