"""Find rows of a joblist that would overwrite each other's files, or others, in constant memory."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from operator import itemgetter
from types import TracebackType

from joblist.model import JobSpec

# Paths are appended, and sorted once at the end: an index on them, in which they come in no
# order, would be read and written all over for each row.
TABLES = """
PRAGMA cache_size = -16000;
CREATE TABLE entry(path BLOB, is_source INTEGER, line INTEGER, row BLOB, name TEXT);
CREATE TABLE folder(path BLOB PRIMARY KEY, line INTEGER) WITHOUT ROWID;
BEGIN;
"""
ADD = "INSERT INTO entry VALUES(?, ?, ?, ?, ?)"
SHARED = """
SELECT path, is_source, line, row, name FROM entry WHERE path IN (
  SELECT path FROM entry GROUP BY path HAVING COUNT(*) > 1 AND NOT MIN(is_source))
ORDER BY path, is_source, line, rowid"""
ADD_FOLDER = "INSERT OR IGNORE INTO folder VALUES(?, ?)"
BELOW = """
SELECT entry.line, entry.name, folder.line FROM entry JOIN folder ON folder.path = entry.path
WHERE NOT entry.is_source ORDER BY entry.line"""
KNOWN_FOLDERS = 4096
MAX_DEPTH = 200
Entry = tuple[bytes, bool, int, bytes, str]


@dataclass(frozen=True)
class Reserved:
    """Files that no destination may be, beside those that the rows of a joblist name."""

    files: Mapping[str, str] = field(default_factory=dict)
    """Path -> what it is; of a folder, with a slash at its end, in which none may lie."""
    gallery_files: Callable[[str], Iterable[str]] = lambda _: ()
    """Function that returns the files that are read of a gallery, a folder."""


class Clashes:
    """Collects destinations and sources; a context manager.

    Rows that are equal count once. Paths are compared with symbolic links resolved.

    Args:
        reserved: Further files that no destination may be.
    """

    def __init__(self, reserved: Reserved) -> None:
        # An unnamed database is kept in a temporary file, which a million paths need.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.executescript(TABLES)
        self._problems: list[tuple[int, str]] = []
        self._reserved_folders: dict[str, str] = {}
        self._galleries: set[str] = set()
        self._is_there = lru_cache(maxsize=KNOWN_FOLDERS)(os.path.isdir)
        """Whether a folder is there: in one that is not, no destination is a link."""
        self._gallery_files = reserved.gallery_files
        for path, what in reserved.files.items():
            if path.endswith("/"):
                self._reserved_folders[os.path.realpath(path)] = what
            else:
                self._reserve(path, what)
        self._folders: dict[str, None] = {}
        """Folders of destinations seen last, which need not be added again."""

    def __enter__(self) -> Clashes:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the temporary file."""
        self._db.close()

    def _reserve(self, path: str, what: str) -> None:
        places = {_real(os.path.abspath(path)), os.path.realpath(path)}
        self._db.executemany(ADD, ((_digest(place), True, 0, b"", what) for place in places))

    def add(self, spec: JobSpec) -> None:
        """Take a row into account."""
        dests = spec.dests.values()
        folders = {dest: real_folder(dest.rpartition("/")[0] or "/") for dest in dests}
        self._db.executemany(ADD, self._entries(spec, folders))
        if spec.gallery and spec.gallery not in self._galleries:
            if len(self._galleries) >= KNOWN_FOLDERS:
                self._galleries.clear()
            self._galleries.add(spec.gallery)
            for path in self._gallery_files(spec.gallery):
                self._reserve(path, f"a file of the gallery of line {spec.line}")
        for name, dest in spec.dests.items():
            folder = folders[dest]
            self._add_folder(folder, spec.line)
            for reserved, what in self._reserved_folders.items():
                if f"{folder}/".startswith(f"{reserved}/"):
                    self._problems.append((spec.line, f"dest_{name} lies {what}: change it"))

    def _entries(self, spec: JobSpec, folders: Mapping[str, str]) -> Iterator[Entry]:
        row = _digest(repr(spec.to_dict()))
        for name, dest in spec.dests.items():
            real = f"{folders[dest]}/{dest.rpartition('/')[2]}"
            yield _digest(real), False, spec.line, row, f"dest_{name}"
            if self._is_there(folders[dest]) and os.path.islink(dest):
                yield _digest(os.path.realpath(dest)), False, spec.line, row, f"dest_{name}"
        read = {spec.source_path: "", spec.poster_path: "poster", spec.corrections: "corrections"}
        for path, what in read.items():
            if path:
                real = os.path.realpath(path) if os.path.islink(path) else _real(path)
                name = f"the {what} of line {spec.line}" if what else ""
                yield _digest(real), True, spec.line, b"", name

    def _add_folder(self, folder: str, line: int) -> None:
        """Take a folder and those above it into account: none of them may be a destination."""
        while folder not in self._folders and folder != "/":
            if len(self._folders) >= KNOWN_FOLDERS:
                self._folders.clear()
            self._folders[folder] = None
            self._db.execute(ADD_FOLDER, (_digest(folder), line))
            folder = os.path.dirname(folder)

    def found(self) -> Iterator[tuple[int, str]]:
        """Yield line and text of each problem."""
        yield from self._problems
        for _, entries in groupby(self._db.execute(SHARED), key=itemgetter(0)):
            (_, _, first, row, name), *others = entries
            for _, is_source, line, other, column in others:
                if is_source:
                    if column:
                        yield first, f"{name} would overwrite {column}: change it"
                    else:
                        yield first, f"{name} would overwrite the medium of line {line}: change it"
                    break
                if line == first or other != row:
                    text = f"is the same file as a destination of line {first}: change one"
                    yield line, f"{column} {text}"
        for line, name, below in self._db.execute(BELOW):
            yield line, f"{name} is the folder of a destination of line {below}: change one"


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).digest()


def _real(path: str) -> str:
    """Return the path with the links of its folder resolved, as a rename sees it."""
    folder, _, name = path.rpartition("/")
    return f"{real_folder(folder or '/')}/{name}"


def resolver() -> Callable[[str], str]:
    """Return a function that resolves the links of a folder; asked again, it does not look again.

    A folder costs one look, once those above it are known: joblists may have a million.
    """

    @lru_cache(maxsize=4096)
    def resolve(folder: str) -> str:
        above, name = os.path.split(folder)
        if name in ("", ".", "..") or folder.count("/") > MAX_DEPTH or os.path.islink(folder):
            return os.path.realpath(folder)
        return os.path.join(resolve(above), name)

    return resolve


real_folder = resolver()
