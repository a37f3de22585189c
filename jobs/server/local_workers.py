"""Workers that the server starts on its own machine."""

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

MAX_RESTARTS = 5
STOP_WAITS_S = (3.0, 10.0)
"""Time that workers have after the first and after the second SIGTERM."""
NOT_STARTED = 1
FINAL_CODES = (0, 2)
"""Exit codes of workers that are not started again: drained, or unfit."""


@dataclass
class _Slot:
    """One of the workers, and how often it was started again."""

    log: Path
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    closed: bool = field(default=False)
    fault: str = ""
    """Why it could not be started; empty if it could."""


def log_path(prefix: Path, number: int) -> Path:
    """Return the path of the log of a worker, counted from 1."""
    return Path(f"{prefix}.worker{number}.log")


class LocalWorkers:
    """Worker processes: started, started again after their death, and stopped.

    Args:
        count: Number of workers.
        module: Module that is the command of a worker.
        arguments: Arguments of that command.
        log_prefix: Prefix of the log files; each worker writes to `<prefix>.worker<n>.log`.
    """

    def __init__(
        self, count: int, *, module: str, arguments: Sequence[str], log_prefix: Path
    ) -> None:
        self._command = [sys.executable, script_path(module), *arguments]
        self._started = False
        self._slots = [_Slot(log_path(log_prefix, number)) for number in range(1, count + 1)]

    def start(self) -> None:
        """Start all workers, unless they were started before."""
        if self._started:
            return
        self._started = True
        for slot in self._slots:
            with contextlib.suppress(OSError):
                slot.log.unlink(missing_ok=True)
            self._start(slot)

    def _start(self, slot: _Slot) -> None:
        """Start a worker; one that cannot be started counts as one that has ended at once."""
        try:
            self._open(slot)
            slot.fault = ""
        except OSError as error:
            slot.process, slot.fault = None, f"it cannot be started: {error}"

    def _open(self, slot: _Slot) -> None:
        with slot.log.open("ab") as log:
            slot.process = subprocess.Popen(
                [*self._command, "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal is for the server, which then asks the workers to stop.
                start_new_session=True,
            )

    def restart_dead(self) -> list[str]:
        """Start dead workers again; return messages for the user."""
        messages = []
        for slot in self._slots:
            if slot.closed or not self._started:
                continue
            code = slot.process.poll() if slot.process else NOT_STARTED
            if code is None:
                continue
            cause = slot.fault or _cause(code)
            if code in FINAL_CODES or slot.restarts >= MAX_RESTARTS:
                slot.closed = True
            else:
                slot.restarts += 1
                self._start(slot)
            if code != 0:
                then = "given up" if slot.closed else "started again"
                messages.append(f"a local worker ended ({cause}) and is {then}: see {slot.log}")
        return messages

    @property
    def exhausted(self) -> bool:
        """Whether workers were started and none will be started again."""
        return bool(self._slots) and all(slot.closed for slot in self._slots)

    def stop(self) -> None:
        """Stop the workers that still run; after a second SIGTERM they give their job back."""
        running = [slot.process for slot in self._slots if slot.process]
        for patience_s in STOP_WAITS_S:
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


def script_path(module: str) -> str:
    """Return the file of a module without importing it: `-m` does not find it in every folder.

    Raises:
        UsageError: The module is not installed.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise UsageError(f"{module} is not installed beside this command: install the package")
    return spec.origin


def _cause(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
