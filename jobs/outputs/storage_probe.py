"""Whether the storage of the outputs works, and the file by which workers know it.

A server without working storage hands out no jobs, and blames none: the fault is not theirs. A
worker that does not find the server's probe would write its results to the wrong place.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Collection
from hashlib import blake2b
from pathlib import Path

from joblist.beneath import opened_folder
from jobs.outputs.places import Place, Places
from jobs.outputs.publish import NEW, replace
from jobs.system.mounts import mount_points
from jobs.types import Probe

log = logging.getLogger(__name__)
ABSENT_S = 60.0
"""Time after which a folder that is gone is made again, at least one lease."""
MIN_FREE_BYTES = 16 << 20
PROBE_BYTES = 4096


class Storage:
    """Probes a folder in which all unfinished outputs lie, in a thread that may hang with it.

    When the folder is gone, the probe moves to one in which those that are unfinished now lie: what
    is finished may be moved away. If that is the same one, it is made again, but not at once: it
    may come back.

    Args:
        places: Finds the folders in which the unfinished outputs lie, empty when there are none,
            and which of some mounts hold them.
        ledger: Its path names the probe, so that a restarted server replaces its own.
        every_s: Time between two probes.
        patience_s: A probe that takes longer has failed.
        root: Folder that all outputs lie in; None for no such limit.
        absent_s: Time after which a folder that is gone is made again.
    """

    def __init__(
        self,
        places: Callable[[Collection[str]], Places],
        *,
        ledger: Path,
        every_s: float,
        patience_s: float,
        root: str | None = None,
        absent_s: float = ABSENT_S,
    ) -> None:
        name = blake2b(os.fsencode(os.path.realpath(ledger)), digest_size=6).hexdigest()
        self._name = f".ina-{name}.probe"
        self._places = places
        self._place: Place | None = None
        self._devices: set[int] = set()
        self._mounts: set[str] = set()
        """Mounts that hold unfinished outputs, or have held them. The device alone does not tell:
        below a bind mount it may be the same as in it."""
        self._text = secrets.token_hex(16)
        self._every_s = every_s
        self._patience_s = patience_s
        self._root = root
        self._absent_s = max(absent_s, 6 * every_s)
        self._gone_since = 0.0
        """Time at which the folder was found gone; 0 while it is there."""
        self._began = self._ended = time.monotonic()
        self._turns = 0
        self._error = ""
        self._stopped = False
        self._wake = threading.Condition()
        self._begin()

    def _begin(self) -> None:
        try:
            self._choose()
            if self._place:
                self._probe(self._place, make=True)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                # Workers may have rights that the server has not.
                log.warning("the outputs' storage is not watched: %s", error)
                self._place = None
            else:
                self._error = str(error)

    def _choose(self) -> Place | None:
        """Choose the place of the first unfinished output; return the one before."""
        before, places = self._place, self._places(mount_points())
        self._devices |= places.devices
        self._mounts |= places.mounts
        self._place = next(iter(places), None)
        return before

    @property
    def probe(self) -> Probe | None:
        """What workers must find."""
        place = self._place
        if place is None:
            return None
        path = os.path.join(place.folder, self._name)
        return Probe(path, self._text, is_destination=place.is_destination)

    @property
    def error(self) -> str:
        """What is wrong with the storage; empty when it works."""
        if self._error:
            return self._error
        hung_s = time.monotonic() - self._began if self._began > self._ended else 0.0
        return f"no answer for {hung_s:.0f} s" if hung_s > self._patience_s else ""

    def check(self) -> str:
        """Probe now; return what is wrong, which may take as long as the patience."""
        with self._wake:
            turns_needed = self._turns + (2 if self._began > self._ended else 1)
            self._wake.notify_all()
            if self._place and not self._stopped:
                self._wake.wait_for(lambda: self._turns >= turns_needed, timeout=self._patience_s)
                if self._turns < turns_needed:
                    return self.error or "no answer"
        return self.error

    def run(self, chore: Callable[[], object]) -> None:
        """Probe until stopped; after each success do the server's chores on the storage."""
        while not self._stopped:
            with self._wake:
                self._wake.wait(self._every_s)
            if self._place and not self._stopped:
                self._turn(self._place)
            if not self.error and not self._stopped:
                chore()

    def _turn(self, place: Place) -> None:
        self._began = time.monotonic()
        try:
            found = self._found(place)
            self._probe(found, make=found is not place)
            error = ""
        except OSError as caught:
            error = str(caught)
        if bool(error) != bool(self._error):
            log.warning("the outputs' storage %s", f"fails: {error}" if error else "works again")
        with self._wake:
            self._error, self._ended = error, time.monotonic()
            self._turns += 1
            self._wake.notify_all()

    def _found(self, place: Place) -> Place:
        """Return where to probe: the place, or another one if it is gone.

        Raises:
            OSError: The place is gone with its file system, or has not been gone for long.
        """
        self._require_mounts()
        with contextlib.suppress(FileNotFoundError):
            device = os.stat(place.folder).st_dev
            if device not in self._devices and not self._is_own(place):
                text = "another file system is there now: mount the outputs' storage again"
                raise OSError(errno.ENODEV, text, place.folder)
            self._devices.add(device)
            self._gone_since = 0.0
            return place
        self._choose()
        chosen = self._place
        if chosen is None or chosen.device not in self._devices:
            self._place = place
            raise OSError(errno.ENOENT, "is gone: bring it back, or mount it again", place.folder)
        if chosen.folder != place.folder:
            log.warning("%s is gone: the storage is watched at %s", place.folder, chosen.folder)
            return chosen
        now = time.monotonic()
        self._gone_since = self._gone_since or now
        left_s = self._gone_since + self._absent_s - now
        if left_s > 0 or not os.path.isdir(os.path.dirname(place.folder)):
            text = f"is gone: bring it back, or it is made again in {max(left_s, 0.0):.0f} s"
            raise OSError(errno.ENOENT, text, place.folder)
        log.warning("%s was gone for %.0f s and is made again", place.folder, self._absent_s)
        os.mkdir(place.folder)
        self._gone_since = 0.0
        return chosen

    def _require_mounts(self) -> None:
        """Make sure that no mount is gone that holds what is unfinished.

        Raises:
            OSError: One is.
        """
        if gone := self._mounts - mount_points():
            needed = self._places(gone).mounts
            self._mounts -= gone - needed
            for point in sorted(needed):
                raise OSError(errno.ENODEV, "is no longer mounted: mount it again", point)

    def _is_own(self, place: Place) -> bool:
        """Return whether the probe is there: then a disk was mounted again under another number."""
        try:
            with opened_folder(place.folder, self._root) as folder:
                return _read(self._name, folder) == self._text
        except OSError:
            return False

    def _probe(self, place: Place, *, make: bool = False) -> None:
        """Write, force to the disk and read; the file that workers read is never half there."""
        with opened_folder(place.folder, self._root, make=make) as folder:
            space = os.statvfs(folder)
            if space.f_bavail * space.f_frsize < MIN_FREE_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), place.folder)
            scratch = f"{self._name}.check"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(scratch, dir_fd=folder)
            with os.fdopen(os.open(scratch, NEW, 0o666, dir_fd=folder), "w") as file:
                file.write(self._text.ljust(PROBE_BYTES))
                file.flush()
                os.fsync(file.fileno())
            if _read(scratch, folder) != self._text:
                path = os.path.join(place.folder, scratch)
                raise OSError(errno.EIO, "what was written is not what is read", path)
            replace(scratch, self._name, folder)

    def stop(self) -> None:
        """Stop probing, and remove the probe unless the storage hangs."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        if self._place and not self.error:
            with (
                contextlib.suppress(OSError),
                opened_folder(self._place.folder, self._root) as folder,
            ):
                os.unlink(self._name, dir_fd=folder)


def _read(name: str, folder: int | None = None) -> str:
    """Return the text of a probe, never through a link."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with os.fdopen(os.open(name, flags, dir_fd=folder), "rb") as file:
        return file.read(PROBE_BYTES).decode("ascii", "replace").strip()


def find(probe: Probe) -> str:
    """Look for the server's probe, as a worker; return why its storage is another, or nothing."""
    try:
        text = _read(probe.path)
    except FileNotFoundError:
        return f"{probe.path} is not there: mount the server's storage at the same place"
    if text != probe.text:
        return f"{probe.path} is another server's: mount the same storage at the same place"
    own = f"{probe.path}.{secrets.token_hex(4)}"
    try:
        os.close(os.open(own, NEW))
        os.unlink(own)
    except PermissionError as error:
        # A folder above those of the outputs may be the server's alone.
        return f"{error}: this worker must be allowed to write there" * probe.is_destination
    return ""
