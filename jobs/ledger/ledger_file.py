"""File of a ledger, as it lies on the disk: what it is before it is opened, and what becomes of it.

SQLite itself goes on with files that were removed, replaced, cut off or written over: it keeps
pages in memory, and knows files by their descriptors.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from jobs.errors import LedgerRefused
from jobs.ledger import schema

MAGIC = b"SQLite format 3\0"
HEAD_BYTES = 24
"""Start of the file that never changes while a server has it: magic, page size, journal mode."""
WAL_MAGICS = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
WAL_HEAD_BYTES = 32
PROBE_S = 0.5
"""Time between two queries on a new connection."""
TABLES = {"meta", "job", "event"}
"""Tables that ledgers of all versions have."""
PROBE = """
SELECT (SELECT COUNT(*) FROM meta), (SELECT COUNT(*) FROM counter), (SELECT MAX(id) FROM job),
  (SELECT MAX(id) FROM event)"""
START_AGAIN = "start the server again"


def require_ledger(path: Path) -> None:
    """Refuse what is there and is no ledger; it is only looked at, and nothing is made beside it.

    Raises:
        LedgerRefused: It is a folder, a FIFO, a device, or a file of another kind.
        OSError: It cannot be read.
    """
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode):
        raise LedgerRefused(f"{path} is a folder: name a file in it with --ledger FILE")
    if not stat.S_ISREG(mode):
        raise LedgerRefused(f"{path} is not a regular file: give another --ledger FILE")
    with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        head = file.read(len(MAGIC))
    if head and head != MAGIC:
        raise LedgerRefused(
            f"{path} is not a ledger (file is not a database): give another --ledger FILE"
        )
    names = _tables(path) if head else set()
    if names and not names >= TABLES:
        raise LedgerRefused(
            f"{path} is not a ledger, but a database of another program: give another --ledger FILE"
        )


def _tables(path: Path) -> set[str]:
    """Return the tables in the main file; none where it cannot be understood without its log."""
    # Immutable: neither locks nor files beside it are made.
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with suppress(sqlite3.Error), closing(sqlite3.connect(uri, uri=True)) as db:
        rows = db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {str(name) for (name,) in rows}
    return set()


@contextmanager
def held_open(path: Path) -> Iterator[int]:
    """Keep a descriptor of a ledger from before SQLite opens it until it has closed it.

    Closing one in between would free the locks that SQLite has: POSIX gives them to processes.

    Raises:
        LedgerRefused: It cannot be opened.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        text = f"{path} cannot be opened ({error.strerror}): give another --ledger FILE"
        raise LedgerRefused(text) from error
    try:
        yield handle
    finally:
        os.close(handle)


class FileWatch:
    """Watches the files of an open ledger for what others do to them.

    Args:
        path: Path of the ledger, which is open.
        handle: Descriptor of it, see `held_open`.
    """

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle
        self._log = Path(f"{path}-wal")
        beside = (self._log, Path(f"{path}-shm"))
        self._identities = {file: _identity(file) for file in (path, *beside)}
        self._head = os.pread(handle, HEAD_BYTES, 0)
        self._size = self._log_size = 0
        self._next_probe = 0.0

    def loss(self) -> str:
        """Return what was done to the files, and the cure; empty if nothing was.

        Raises:
            OSError: The disk cannot tell just now.
        """
        for file, identity in self._identities.items():
            if _identity(file) != identity:
                lost = "; what was recorded is lost, so all jobs are done again"
                end = START_AGAIN + lost * (file == self._path)
                return f"{file} was removed or replaced while in use: {end}"
        damage = self._damage_of_main() or self._damage_of_log() or self._damage_inside()
        return damaged(self._path, damage) if damage else ""

    def _damage_of_main(self) -> str:
        size = os.fstat(self._handle).st_size
        if size < self._size:
            return f"it was cut off at {size} bytes"
        self._size = size
        if os.pread(self._handle, HEAD_BYTES, 0) != self._head:
            return "its header was written over"
        return ""

    def _damage_of_log(self) -> str:
        with open(self._log, "rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(WAL_HEAD_BYTES)
        # The log is begun anew in place; it is never cut off while somebody has it.
        if size < min(self._log_size, WAL_HEAD_BYTES):
            return f"its -wal was cut off at {size} bytes"
        self._log_size = size
        if len(head) == WAL_HEAD_BYTES and not head.startswith(WAL_MAGICS):
            return "the header of its -wal was written over"
        return ""

    def _damage_inside(self) -> str:
        """Ask for a few pages from the disk, which older connections may have in memory."""
        now = time.monotonic()
        if now < self._next_probe:
            return ""
        try:
            with closing(schema.connect(self._path, readonly=True)) as db:
                db.execute(PROBE).fetchone()
        except sqlite3.OperationalError as error:
            # Of a disk that is full or away; but tables do not go by themselves.
            return str(error) if "no such table" in str(error) else ""
        except sqlite3.DatabaseError as error:
            return str(error)
        finally:
            self._next_probe = time.monotonic() + PROBE_S
        return ""


def damaged(path: Path, how: str) -> str:
    """Return the sentence for a ledger that is damaged."""
    return (
        f"{path} is damaged ({how}): move it away; {START_AGAIN}; what was recorded is lost, so "
        "all jobs are done again"
    )


def _identity(path: Path) -> tuple[int, int] | None:
    """Return device and number of a file; None if there is none."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino
