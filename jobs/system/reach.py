"""Whether a file can be reached from here, or its storage is away.

A mount that is gone leaves an empty folder, no folder, or a file system that answers with errors. A
file that is missing among others was named wrongly, or removed.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from enum import Enum
from pathlib import Path

from joblist import beneath
from joblist.names import spelled


class Reach(str, Enum):
    """How a path is found; the worst comes last."""

    THERE = "there"
    """It can be opened; or it has a fault of its own, in a folder that works."""
    DENIED = "denied"
    """This process may not read it; another may."""
    MISSING = "missing"
    """It is not there, and its folder is and has other files."""
    UNREACHABLE = "unreachable"
    """Its folder is empty or not there: perhaps a mount is missing."""
    BROKEN = "broken"
    """Its file system answers with errors."""


_WORST_LAST = list(Reach)
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)
_REFUSED = (errno.EACCES, errno.EPERM)
_WRONG_NAME = (errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


def reach(path: str, root: str | None = None) -> Reach:
    """Return how a path, of a file or a folder, is found by this process now.

    Args:
        path: Path of the file or folder.
        root: Folder that it must lie in; None for no such limit. What a link leads to elsewhere is
            not touched: that it lies outside is a fault of its own.
    """
    try:
        path = spelled(path)
        if root and beneath.root_of(path, [root]) is None:
            return Reach.THERE
        descriptor = _opened(path, root)
    except ValueError:  # a NUL in the path
        return Reach.MISSING
    except OSError as error:
        return _reach_of(path, error)
    try:
        return Reach.UNREACHABLE if _folder_state(descriptor) == "empty" else Reach.THERE
    finally:
        os.close(descriptor)


def worst_reach(paths: Iterable[str], root: str | None = None) -> tuple[Reach, str]:
    """Return the worst of how paths are found, and that path; `THERE` and empty without paths.

    Args:
        paths: The paths.
        root: As for `reach`.
    """
    found = [(reach(path, root), path) for path in paths]
    return max(found, key=lambda pair: _WORST_LAST.index(pair[0]), default=(Reach.THERE, ""))


def _opened(path: str, root: str | None) -> int:
    if root is None or os.path.realpath(path) == os.path.realpath(root):
        return os.open(path, beneath.READ)
    return beneath.open_to_read(path, [root])


def _reach_of(path: str, error: OSError) -> Reach:
    """Return how a path is found that cannot be opened."""
    if error.errno in _WRONG_NAME:
        return Reach.MISSING
    # Links are followed: what they lead to may be on the mount that is gone.
    folder = _folder_state(os.path.dirname(os.path.realpath(path)))
    if folder == "broken":
        return Reach.BROKEN
    if folder != "filled":
        return Reach.UNREACHABLE
    if error.errno in _NOT_THERE:
        return Reach.MISSING
    return Reach.DENIED if error.errno in _REFUSED else Reach.THERE


def _folder_state(folder: str | int) -> str:
    """Return `filled`, `empty`, `gone`, `broken`, or `file` for what is no folder."""
    try:
        with os.scandir(folder) as entries:
            return "filled" if next(entries, None) else "empty"
    except NotADirectoryError:
        return "file"
    except (FileNotFoundError, PermissionError):
        return "gone"
    except OSError:
        return "broken"


def gone_at(path: str) -> str:
    """Return the highest folder above an unreachable path that is not there, or is empty.

    It is the path itself where that is an empty folder.
    """
    found = Path(os.path.realpath(spelled(path)))
    folder = found if found.is_dir() else found.parent
    while folder != folder.parent and not os.path.exists(folder.parent):
        folder = folder.parent
    return str(folder)
