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
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from jobs.types import Probe

log = logging.getLogger(__name__)
MIN_FREE_BYTES = 16 << 20
PROBE_BYTES = 4096


class Storage:
    """Probes one folder of outputs, again and again, in a thread that may hang with it.

    Args:
        folder: Folder of the outputs, made if need be; None when there is none to probe.
        ledger: Its path names the probe, so that a restarted server replaces its own.
        every_s: Time between two probes.
        patience_s: A probe that takes longer has failed.
    """

    def __init__(
        self, folder: Path | None, *, ledger: Path, every_s: float, patience_s: float
    ) -> None:
        name = blake2b(os.fsencode(os.path.realpath(ledger)), digest_size=6).hexdigest()
        self._path = folder / f".ina-{name}.probe" if folder else None
        self._text = secrets.token_hex(16)
        self._every_s = every_s
        self._patience_s = patience_s
        self._began = self._ended = time.monotonic()
        self._device: int | None = None
        """Number of the file system in which the folder was last."""
        self._turns = 0
        self._error = ""
        self._stopped = False
        self._wake = threading.Condition()
        if self._path:
            self._begin(self._path)

    def _begin(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._probe(path)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                # Workers may have rights that the server has not.
                log.warning("the outputs' storage is not watched: %s", error)
                self._path = None
            else:
                self._error = str(error)

    @property
    def probe(self) -> Probe | None:
        """What workers must find."""
        return Probe(str(self._path), self._text) if self._path else None

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
            if self._path and not self._stopped:
                self._wake.wait_for(lambda: self._turns >= turns_needed, timeout=self._patience_s)
                if self._turns < turns_needed:
                    return self.error or "no answer"
        return self.error

    def run(self, chore: Callable[[], object]) -> None:
        """Probe until stopped; after each success do the server's chores on the storage."""
        while not self._stopped:
            with self._wake:
                self._wake.wait(self._every_s)
            if self._path and not self._stopped:
                self._turn(self._path)
            if not self.error and not self._stopped:
                chore()

    def _turn(self, path: Path) -> None:
        self._began = time.monotonic()
        try:
            self._probe(path)
            error = ""
        except OSError as caught:
            error = str(caught)
        if bool(error) != bool(self._error):
            log.warning("the outputs' storage %s", f"fails: {error}" if error else "works again")
        with self._wake:
            self._error, self._ended = error, time.monotonic()
            self._turns += 1
            self._wake.notify_all()

    def _probe(self, path: Path) -> None:
        """Write, force to the disk and read; the file that workers read is never half there."""
        space = os.statvfs(path.parent)
        if space.f_bavail * space.f_frsize < MIN_FREE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path.parent))
        self._require_same_disk(path)
        scratch = path.with_suffix(".check")
        with scratch.open("w") as file:
            file.write(self._text.ljust(PROBE_BYTES))
            file.flush()
            os.fsync(file.fileno())
        if scratch.read_text().strip() != self._text:
            raise OSError(errno.EIO, "what was written is not what is read", str(scratch))
        scratch.replace(path)

    def _require_same_disk(self, path: Path) -> None:
        """Refuse the folder under a mount that is gone: what workers write there would be lost.

        Raises:
            OSError: The folder is on another disk, and the probe is not there.
        """
        device = path.parent.stat().st_dev
        if device != self._device and self._device is not None and not self._is_own(path):
            raise OSError(errno.ENODEV, "another disk is there: mount the right one", str(path))
        self._device = device

    def _is_own(self, path: Path) -> bool:
        try:
            return path.read_text().strip() == self._text
        except OSError:
            return False

    def stop(self) -> None:
        """Stop probing, and remove the probe unless the storage hangs."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        if self._path and not self.error:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)


def find(probe: Probe) -> str:
    """Look for the server's probe, as a worker; return why its storage is another, or nothing."""
    try:
        text = Path(probe.path).read_text().strip()
    except FileNotFoundError:
        return f"{probe.path} is not there: mount the server's storage at the same place"
    if text != probe.text:
        return f"{probe.path} is another server's: mount the same storage at the same place"
    own = Path(f"{probe.path}.{secrets.token_hex(4)}")
    try:
        own.touch()
        own.unlink()
    except PermissionError as error:
        return f"{error}: this worker must be allowed to write there"
    return ""
