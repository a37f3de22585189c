"""Downloads that go on where an earlier one broke off, as pooch calls them.

pooch begins anew each time. Here, what has come stays in `NAME.part`, and `NAME.part.json`
tells which version of which address it is a part of: a server that has another one now, or that
knows no parts, sends all of it.
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

Told = Callable[[int, int], None]
"""Function that is called with bytes here, and bytes in all (0 where unknown)."""
_BLOCK = 1 << 16


class Download:
    """One download over HTTP; pooch's downloader.

    Args:
        part: Where to keep what has come; its folder exists.
        timeout_s: Silence after which the download is given up.
        on_progress: Function that is called with bytes done and in all.
    """

    def __init__(self, part: Path, *, timeout_s: float, on_progress: Told) -> None:
        self._part, self._timeout_s, self._told = part, timeout_s, on_progress
        self._note = part.with_name(f"{part.name}.json")

    @property
    def kept(self) -> int:
        """How many bytes another try need not fetch again."""
        return self._part.stat().st_size if self._note.is_file() and self._part.is_file() else 0

    def __call__(self, url: str, output_file: str, _: object) -> None:
        """Download a file whole.

        Args:
            url: Url of the file.
            output_file: Where it is to be.

        Raises:
            OSError: The address cannot be reached, the download broke off, or the disk is full.
            ResourceError: Another process is at it.
        """
        with _owned(self._part) as file:
            try:
                self._fetch(url, file)
            except BaseException:
                if not self._note.is_file():  # nothing can go on with it
                    self._part.unlink()
                raise
            self._note.unlink(missing_ok=True)
            os.replace(self._part, output_file)

    def _fetch(self, url: str, file: BinaryIO) -> None:
        have, version = file.seek(0, os.SEEK_END), self._version(url)
        headers = {"Accept-Encoding": "identity"}
        if have and version:
            headers |= {"Range": f"bytes={have}-", "If-Range": version}
        with requests.get(url, headers=headers, timeout=self._timeout_s, stream=True) as answer:
            goes_on = _goes_on(answer, have, version)
            if "Range" in headers and not goes_on and answer.status_code in (206, 416):
                file.truncate(0)  # not the rest of what is here
                return self._fetch(url, file)
            answer.raise_for_status()
            if not goes_on:
                have = 0
                file.truncate(0)
                self._remember(url, answer)
            return self._receive(answer, file, have)

    def _receive(self, answer: requests.Response, file: BinaryIO, have: int) -> None:
        length = int(answer.headers.get("Content-Length", 0))
        total = have + length if length else 0
        self._told(have, total)
        for block in answer.iter_content(_BLOCK):
            file.write(block)
            have += len(block)
            self._told(have, total)
        file.flush()

    def _version(self, url: str) -> str:
        """Return the server's version of the part; empty if unknown."""
        try:
            note: Mapping[str, str] = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        return note["version"] if note["address"] == url else ""

    def _remember(self, url: str, answer: requests.Response) -> None:
        version = _version_of(answer)
        if version:
            note = json.dumps({"address": url, "version": version})
            atomic_write_bytes(self._note, note.encode())
        else:
            self._note.unlink(missing_ok=True)


@contextmanager
def _owned(part: Path) -> Iterator[BinaryIO]:
    """Open a part to append to it; for one process at a time.

    Raises:
        ResourceError: Another has it.
    """
    with part.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.path.samestat(os.fstat(file.fileno()), part.stat())
        except (BlockingIOError, FileNotFoundError):
            mine = False
        if not mine:  # or it was, until another process had all of it
            raise ResourceError(f"{part}: another process is fetching it; wait for it to end")
        yield file


def _goes_on(answer: requests.Response, have: int, version: str) -> bool:
    """Return whether an answer is the rest of what is here."""
    range_ = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return (
        answer.status_code == 206
        and range_ is not None
        and int(range_[1]) == have
        and _version_of(answer) in ("", version)
    )


def _version_of(answer: requests.Response) -> str:
    """Return what tells versions of a file apart; empty where the server does not say."""
    headers: Mapping[str, Any] = answer.headers
    if headers.get("Content-Encoding", "identity") != "identity":
        return ""  # its bytes are not the file's
    tag = str(headers.get("ETag", "W/"))
    return str(headers.get("Last-Modified", "")) if tag.startswith("W/") else tag
