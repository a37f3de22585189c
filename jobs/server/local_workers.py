"""Workers that a server starts on its own machine."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from joblist.errors import UsageError

RESTARTS = 5
STOP_S = (3.0, 10.0)
FINAL_CODES = (0, 2)
"""Exit codes of workers that are not started again: drained, or unfit."""


@dataclass
class _Slot:
    """A place for a worker."""

    log: Path
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    closed: bool = field(default=False)


class LocalWorkers:
    """Starts workers, starts dead ones again, and stops them.

    Args:
        count: Number of workers.
        module: Module of the worker's command.
        arguments: Arguments of that command.
        log_prefix: Path; each worker writes to `<prefix>.worker<n>.log`.
    """

    def __init__(
        self, count: int, *, module: str, arguments: Sequence[str], log_prefix: Path
    ) -> None:
        self._command = [sys.executable, script(module), *arguments]
        self._slots = [_Slot(Path(f"{log_prefix}.worker{n}.log")) for n in range(1, count + 1)]

    def start(self) -> None:
        """Start them all."""
        for slot in self._slots:
            slot.log.unlink(missing_ok=True)
            self._start(slot)

    def _start(self, slot: _Slot) -> None:
        with slot.log.open("ab") as log:
            slot.process = subprocess.Popen(
                [*self._command, "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # The terminal's Ctrl-C is for the server, which drains them.
                start_new_session=True,
            )

    def tend(self) -> list[str]:
        """Start dead workers again; return what the user should know of it."""
        news = []
        for slot in self._slots:
            code = slot.process.poll() if slot.process and not slot.closed else None
            if code is None:
                continue
            if code in FINAL_CODES or slot.restarts >= RESTARTS:
                slot.closed = True
            else:
                slot.restarts += 1
                self._start(slot)
            if code != 0:
                then = "given up" if slot.closed else "started again"
                news.append(f"a local worker ended ({_cause(code)}) and is {then}: see {slot.log}")
        return news

    @property
    def exhausted(self) -> bool:
        """Whether there were workers and none is left."""
        return bool(self._slots) and all(slot.closed for slot in self._slots)

    def stop(self) -> None:
        """End those that have not left by themselves: twice asked, they give their job back."""
        running = [slot.process for slot in self._slots if slot.process]
        for patience_s in STOP_S:
            for process in running:
                process.terminate()
            _wait(running, patience_s)
        for process in running:
            process.kill()
            process.wait()


def _wait(processes: Sequence[subprocess.Popen[bytes]], patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    for process in processes:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))


def script(module: str) -> str:
    """Return the file of a module without importing it: `-m` would not find it everywhere."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise UsageError(f"{module} is not installed beside this command: install the package")
    return spec.origin


def _cause(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
