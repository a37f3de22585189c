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


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
