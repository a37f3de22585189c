"""Forcing a file to the disk in pieces: a disk that is slow differs from one that hangs."""

from __future__ import annotations

import contextlib
import mmap
import os
from collections.abc import Callable

PIECE_BYTES = 64 << 20
Progress = Callable[[], None]
"""Function that is called as often as something has been done."""


def no_progress() -> None:
    """Report to nobody."""


def force_to_disk(descriptor: int, progress: Progress = no_progress) -> None:
    """Force a file to the disk; `os.fsync` alone may be silent for many minutes.

    Args:
        descriptor: File that is open for reading and writing; otherwise it is forced in one piece.
        progress: Hook that is called after each piece.
    """
    size = os.fstat(descriptor).st_size
    # Some file systems cannot be mapped; the call at the end does it all there.
    with contextlib.suppress(OSError, ValueError):
        for offset in range(0, size - PIECE_BYTES, PIECE_BYTES):
            with mmap.mmap(descriptor, PIECE_BYTES, offset=offset) as piece:
                # This is msync of a shared map: it forces the pages of this piece.
                piece.flush()
            progress()
    os.fsync(descriptor)
    progress()
