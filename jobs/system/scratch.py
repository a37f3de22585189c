"""Temporary folders of child processes, removed with them, or by the next process after a crash.

A child is ended by SIGKILL, and then removes nothing itself. So the one that starts it gives it a
folder for all its temporary files. Each of the two holds a lock on the folder: where nobody holds
one, both are dead, and the folder is litter.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path

PREFIX = "ina-child-"


class ScratchFolder:
    """A temporary folder of a child process; those of dead processes are removed before.

    Raises:
        OSError: No folder can be made.
    """

    def __init__(self) -> None:
        root = Path(tempfile.gettempdir())
        _sweep(root)
        while True:
            self.path = tempfile.mkdtemp(prefix=PREFIX, dir=root)
            with contextlib.suppress(FileNotFoundError):
                # Another process may sweep it away before it is locked.
                self._lock = hold(self.path)
                if _is_at(self._lock, self.path):
                    return
                os.close(self._lock)

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)


def use(path: str) -> None:
    """Let this process, and those that it starts, make their temporary files in a folder.

    Args:
        path: Path of a `ScratchFolder`; it is locked until the process ends.
    """
    hold(path)
    os.environ["TMPDIR"] = tempfile.tempdir = path


def hold(path: str) -> int:
    """Return a descriptor that keeps others from removing a folder.

    Raises:
        FileNotFoundError: It was removed.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    # On some network disks nothing is locked; there nothing is swept, either.
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _sweep(root: Path) -> None:
    """Remove the folders of this user that nobody holds."""
    for path in root.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(descriptor).st_uid == os.geteuid():
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(descriptor)


def _is_at(descriptor: int, path: str) -> bool:
    """Say whether a folder that is open still has its name."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    return False
