"""Proof that nothing outside a root is read or written: the kernel tells of each access."""

import ctypes
import os
import struct
from pathlib import Path

import pytest

OPEN, ACCESS, MODIFY, ATTRIB = 0x20, 0x1, 0x2, 0x4
CREATE, DELETE, MOVED = 0x100, 0x200, 0xC0
NAMES = {
    **{OPEN: "open", ACCESS: "read", MODIFY: "write", ATTRIB: "attributes"},
    **{CREATE: "create", DELETE: "delete", 0x40: "moved from", 0x80: "moved to"},
}


class Sentinel:
    """Watches a folder and all below it, as it is now."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._handle < 0:
            pytest.skip("no inotify here")
        self._paths: dict[int, Path] = {}
        mask = OPEN | ACCESS | MODIFY | ATTRIB | CREATE | DELETE | MOVED
        for path in (folder, *(p for p in folder.rglob("*") if p.is_dir() and not p.is_symlink())):
            watch = libc.inotify_add_watch(self._handle, os.fsencode(path), mask)
            assert watch >= 0, os.strerror(ctypes.get_errno())
            self._paths[watch] = path

    def close(self) -> None:
        os.close(self._handle)

    def accesses(self) -> list[str]:
        """What was opened, read or changed since the last call."""
        found = []
        while data := self._read():
            at = 0
            while at < len(data):
                watch, mask, _, length = struct.unpack_from("iIII", data, at)
                name = data[at + 16 : at + 16 + length].rstrip(b"\0").decode()
                what = ", ".join(text for bit, text in NAMES.items() if mask & bit)
                found.append(f"{what}: {self._paths[watch] / name}")
                at += 16 + length
        return found

    def _read(self) -> bytes:
        try:
            return os.read(self._handle, 1 << 16)
        except BlockingIOError:
            return b""
