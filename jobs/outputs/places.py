"""The few folders in which many destinations lie: where a server leaves its files for others.

A file in one of them must be seen by each machine that sees the destinations. So they are on the
file system of the destinations, which may be mounted by others, and in them the server may write.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from joblist.clashes import MAX_DEPTH, resolver
from jobs.system.mounts import holds

KNOWN_FOLDERS = 4096


@dataclass(frozen=True)
class Place:
    """A folder in which destinations lie, or below which."""

    folder: str
    """Real path; it need not be there yet."""
    device: int
    """Device of its file system, or of that in which it will be made."""
    is_destination: bool
    """Whether a destination lies in it, and not only below it."""


class Places:
    """Collects the folders of destinations; there may be a million of them.

    Folders of which a part is a file are left out: no file can be written there.

    Args:
        folders: The folders, absolute paths.
        limit: Number of places beyond which folders are replaced by those above them.
        points: Folders at which something is mounted, or was, to be told which of them matter.
    """

    def __init__(
        self, folders: Iterable[str] = (), *, limit: int = 1, points: Iterable[str] = ()
    ) -> None:
        self._limit = limit
        self._points = set(points)
        self.mounts: set[str] = set()
        """Those of the points at or below which destinations lie."""
        self._places: dict[str, Place] = {}
        self._known: dict[str, None] = {}
        self._resolve = resolver()
        self._device = lru_cache(maxsize=KNOWN_FOLDERS)(self._look_up_device)
        self._blocked: set[str] = set()
        """Places that cannot be replaced by the folder above."""
        self.devices: set[int] = set()
        """Devices of all file systems on which destinations lie."""
        for folder in folders:
            self.add(folder)

    def __iter__(self) -> Iterator[Place]:
        """Iterate over the places, in the order in which their destinations were added."""
        return iter(self._places.values())

    def add(self, folder: str) -> None:
        """Take a folder of destinations into account."""
        if folder in self._known:
            return
        if len(self._known) >= KNOWN_FOLDERS:
            self._known.clear()
        self._known[folder] = None
        real = self._resolve(folder)
        self.mounts |= {point for point in self._points - self.mounts if holds(point, real)}
        device = self._device(real)
        if device is None:
            return
        self.devices.add(device)
        self._put(Place(real, device, is_destination=True))
        while len(self._places) > self._limit and self._merge():
            pass

    def _look_up_device(self, folder: str) -> int | None:
        """Return the device of a folder; see `device_of`. Those above it are asked once."""
        if folder.count("/") > MAX_DEPTH or os.path.lexists(folder):
            return device_of(folder)
        return self._device(os.path.dirname(folder))

    def _put(self, place: Place) -> None:
        """Add a place, unless another one covers it; remove those that it covers."""
        old = self._places.get(place.folder)
        if old is not None and place.is_destination:
            self._places[place.folder] = place
        folder = place.folder
        while folder != "/":
            if folder in self._places and self._places[folder].device == place.device:
                return
            folder = os.path.dirname(folder)
        covered = [p.folder for p in self._places.values() if _lies_in(p, place)]
        for folder in covered:
            del self._places[folder]
        self._places[place.folder] = place

    def _merge(self) -> bool:
        """Replace the deepest place by the folder above it; return whether there was one."""
        free = [p for p in self._places.values() if p.folder not in self._blocked]
        if not free:
            return False
        deepest = max(free, key=lambda p: p.folder.count("/"))
        folder = os.path.dirname(deepest.folder)
        if folder == "/" or device_of(folder) != deepest.device or not may_write(folder):
            self._blocked.add(deepest.folder)
        else:
            del self._places[deepest.folder]
            self._put(Place(folder, deepest.device, is_destination=False))
        return True


def _lies_in(place: Place, other: Place) -> bool:
    return place.device == other.device and place.folder.startswith(f"{other.folder}/")


def nearest(folder: str) -> str:
    """Return the folder itself, or what is nearest above it, that is there."""
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return folder


def device_of(folder: str) -> int | None:
    """Return the device on which a folder is, or will be made; None if a part of it is a file."""
    found = nearest(folder)
    return os.stat(found).st_dev if os.path.isdir(found) else None


def may_write(folder: str) -> bool:
    """Say whether this process may make files in a folder, or in what is nearest above it."""
    return os.access(nearest(folder), os.W_OK | os.X_OK)
