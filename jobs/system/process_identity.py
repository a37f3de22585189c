"""Identity of a process, so that another one on the machine can tell whether it lives."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class ProcessIdentity:
    """A process on a machine."""

    host: str
    pid: int
    boot_id: str
    """Changes with each start of the machine; empty where the system has none."""

    @classmethod
    def own(cls) -> ProcessIdentity:
        """Return this process's."""
        boot_id = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
        return cls(host=socket.gethostname(), pid=os.getpid(), boot_id=boot_id)

    def is_dead(self, *, seen_from: ProcessIdentity) -> bool:
        """Say whether this process certainly does not run any more."""
        if self.host != seen_from.host or not self.boot_id:
            return False
        return self.boot_id != seen_from.boot_id or not _exists(self.pid)


def pid_namespace() -> str:
    """Return what tells the process ids of this process from those of a container."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def start_time(pid: int) -> int | None:
    """Return when a process started, in ticks since the machine did; None if it does not run.

    A process id is given again to other processes; id and start are not.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name of the program comes second, in brackets, and may hold anything.
    state, *fields = text.rpartition(b")")[2].split()
    return None if state in (b"Z", b"X") else int(fields[18])


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
