"""File system of a path, from the kernel's mount table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from jobs.errors import LedgerRefused

NETWORK_TYPES = frozenset(
    {
        "9p",
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "coda",
        "davfs",
        "gfs2",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "ocfs2",
        "orangefs",
        "smb2",
        "smb3",
        "smbfs",
        "virtiofs",
    }
)
MOUNT_TABLE = Path("/proc/self/mountinfo")


def file_system(path: Path, *, table: str | None = None) -> str | None:
    """Return the type of the file system that holds `path`.

    Args:
        path: Need not exist; its nearest existing parent decides.
        table: Text of a mountinfo file; by default, this system's.

    Returns:
        The kernel's name for it ("ext4", "fuse.sshfs"), or None on a system without a
        mount table.
    """
    real = os.path.realpath(path)
    best, kind = -1, None
    for point, entry_kind in _entries(table):
        # Later lines win among equals: they are mounted over the earlier ones.
        if holds(point, real) and len(point) >= best:
            best, kind = len(point), entry_kind
    return kind


def mount_points() -> set[str]:
    """Return the folders at which file systems are mounted, without the root."""
    return {point for point, _ in _entries(None)} - {"/"}


def _entries(table: str | None) -> Iterator[tuple[str, str]]:
    """Yield mount point and type of each file system; nothing on a system without a table."""
    if table is None:
        if not MOUNT_TABLE.exists():
            return
        table = MOUNT_TABLE.read_text(encoding="utf-8", errors="surrogateescape")
    yield from map(_entry, table.splitlines())


def _entry(line: str) -> tuple[str, str]:
    """Return mount point and type of one line of mountinfo."""
    left, _, right = line.partition(" - ")
    point = left.split(" ")[4]
    for code, char in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(code, char)
    return point, right.split(" ")[0]


def holds(point: str, path: str) -> bool:
    """Say whether a path is a folder, or lies below it."""
    return path == point or path.startswith(point.rstrip("/") + "/")


def network_type(path: Path, *, table: str | None = None) -> str | None:
    """Return the type of the network or user-space file system of `path`; None on others."""
    kind = file_system(path, table=table)
    if kind is None or not (kind in NETWORK_TYPES or kind.split(".")[0] in ("fuse", "fuseblk")):
        return None
    return kind


def refuse_network(path: Path, *, table: str | None = None) -> None:
    """Raise LedgerRefused when `path` is on a network or user-space file system.

    SQLite's write-ahead log works there without any error, and corrupts the file.
    """
    kind = network_type(path, table=table)
    if kind is None:
        return
    raise LedgerRefused(
        f"{path} is on a file system of type {kind}, where the ledger would be corrupted: "
        "give a file on a local disk with --ledger FILE"
    )
