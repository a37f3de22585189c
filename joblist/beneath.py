"""Files beneath a root: folders are opened step by step, and no link on the way is followed.

A path may be checked and lead elsewhere a moment later. So each folder is opened in the one above
it (`openat`), and a link in its place is an error (`O_NOFOLLOW`). Links that are there when a path
is opened may lead to other places beneath the same root, and nowhere else.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path, PosixPath

STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
"""Without `O_NONBLOCK`, opening a FIFO would wait for a writer."""


class StagedPath(PosixPath):
    """Path at which a file is written before it stands at its place."""

    place: Path | None = None
    """Path of the file in the end."""

    @classmethod
    def of(cls, path: Path, place: Path) -> StagedPath:
        """Return a path with the place of its file."""
        staged = cls(path)
        staged.place = place
        return staged


def final_folder(path: Path) -> Path:
    """Return the folder in which a file will stand in the end, as an absolute path."""
    return (getattr(path, "place", None) or path).absolute().parent


def root_of(path: str, roots: Sequence[str]) -> str | None:
    """Return the root that a path lies in with all links followed; None for other paths."""
    real = os.path.realpath(path)
    for root in map(os.path.realpath, roots):
        if os.path.commonpath([real, root]) == root:
            return root
    return None


def _outside(path: str, roots: Sequence[str]) -> OSError:
    return OSError(errno.ELOOP, f"lies outside {' and '.join(roots)} by a link", path)


@contextmanager
def opened_folder(folder: str, root: str | None = None, *, make: bool = False) -> Iterator[int]:
    """Open a folder; its descriptor is good while the context lasts.

    Args:
        folder: Absolute path of the folder.
        root: Folder that it must lie in; None for no such limit, then links are followed.
        make: Whether a missing folder is made.

    Raises:
        OSError: It cannot be opened, is no folder, or lies outside the root.
    """
    descriptor = _open_any(folder, make) if root is None else _open_beneath(folder, root, make)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _open_any(folder: str, make: bool) -> int:
    if make:
        os.makedirs(folder, exist_ok=True)
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _open_beneath(folder: str, root: str, make: bool) -> int:
    home = os.path.realpath(root)
    if root_of(folder, [root]) is None:
        raise _outside(folder, [root])
    if make:
        os.makedirs(home, exist_ok=True)
    descriptor = os.open(home, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in Path(os.path.relpath(os.path.realpath(folder), home)).parts:
            below = _step(name, descriptor, make)
            os.close(descriptor)
            descriptor = below
        # A descriptor of the kind O_PATH can be neither listed nor forced to the disk.
        return os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=descriptor)
    finally:
        os.close(descriptor)


def _step(name: str, above: int, make: bool) -> int:
    """Open a folder in an open one."""
    try:
        return os.open(name, STEP, dir_fd=above)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=above)
    return os.open(name, STEP, dir_fd=above)


def open_to_read(path: str, roots: Sequence[str] = ()) -> int:
    """Open a file for reading; return its descriptor, which may be that of anything but a folder.

    Args:
        path: Path of the file.
        roots: Folders of which it must lie in one; none for no such limit.

    Raises:
        OSError: It cannot be opened, or lies outside the roots.
    """
    if not roots:
        return os.open(path, READ)
    root = root_of(path, roots)
    if root is None:
        raise _outside(path, roots)
    folder, name = os.path.split(os.path.realpath(path))
    with opened_folder(folder, root) as above:
        return os.open(name, READ | os.O_NOFOLLOW, dir_fd=above)


def names_in(folder: str, roots: Sequence[str] = ()) -> list[str]:
    """Return the names in a folder, sorted.

    Args:
        folder: Path of the folder.
        roots: Folders of which it must lie in one; none for no such limit.

    Raises:
        OSError: It cannot be opened, or lies outside the roots.
    """
    if not roots:
        return sorted(os.listdir(folder))
    root = root_of(folder, roots)
    if root is None:
        raise _outside(folder, roots)
    with opened_folder(folder, root) as descriptor:
        return sorted(os.listdir(descriptor))
