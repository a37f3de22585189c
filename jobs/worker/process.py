"""The supervisor's handle on its child process."""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from jobs.errors import CallRefused
from jobs.system.scratch import ScratchFolder
from jobs.types import MAX_ERROR_CHARS, Lease, Outcome, Probe
from jobs.wire.plain_text import plain_text
from jobs.worker import child, messages

JOIN_S = 10.0


class Child:
    """A process that does the work; started when needed, and again after its death.

    Args:
        factory: `module:function` that makes the task.
        local: Argument of the factory.
    """

    def __init__(self, factory: str, local: Mapping[str, Any]) -> None:
        self._args = (factory, dict(local))
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._scratch: ScratchFolder | None = None

    def send(self, command: str, value: Lease | Probe) -> None:
        """Send a command to the child, which is started if there is none."""
        if self._process is not None and not self._process.is_alive():
            # It died while idle: the job that comes now is not the cause.
            self._collect()
        self._send(self._open_pipe(), command, value)

    def fence(self, until: float = math.inf) -> None:
        """Let the child live until a time of the boot clock; see `child`."""
        if self._pipe is not None:
            self._send(self._pipe, "fence", until)

    def _send(self, pipe: Connection, name: str, value: Lease | Probe | float) -> None:
        # `poll` notices that the other end is dead.
        with contextlib.suppress(BrokenPipeError):
            pipe.send((name, value))

    def poll(self, timeout_s: float) -> Mapping[str, Any] | Outcome | None:
        """Return progress, or the outcome of the last command; None if there is neither."""
        assert self._pipe is not None
        try:
            if not self._pipe.poll(max(0.0, timeout_s)):
                return None
            return messages.decode(self._pipe.recv_bytes(messages.MAX_BYTES))
        except (EOFError, ConnectionError):
            return Outcome(kind="crash", error=self._collect())
        except (CallRefused, OSError) as error:
            # An OSError: the message is too long.
            self.kill()
            text = f"the process that ran it said what cannot be understood ({error})"
            return Outcome(kind="crash", error=plain_text(text, MAX_ERROR_CHARS))

    def kill(self) -> None:
        """End the child and the programs it has started."""
        if self._process is not None:
            self._kill_group()
            self._collect()

    def _open_pipe(self) -> Connection:
        """Return the pipe to the child, which is started if there is none."""
        if self._pipe is None:
            # Spawn: libraries with threads and CUDA do not survive a fork.
            context = multiprocessing.get_context("spawn")
            # Without one, jobs that need temporary files say what is wrong.
            with contextlib.suppress(OSError):
                self._scratch = ScratchFolder()
            self._pipe, other = context.Pipe()
            arguments = (other, self._scratch and self._scratch.path, *self._args)
            self._process = context.Process(target=child.main, args=arguments)
            self._process.start()
            other.close()
        return self._pipe

    def _kill_group(self) -> None:
        assert self._process is not None
        assert self._process.pid is not None
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            # It has not made its group yet, or it is dead already.
            self._process.kill()

    def _collect(self) -> str:
        """Wait for the end of the process; return how it ended, as text."""
        assert self._process is not None
        assert self._pipe is not None
        self._process.join(JOIN_S)
        if self._process.exitcode is None:
            self._kill_group()
            self._process.join(JOIN_S)
        code = self._process.exitcode
        if self._scratch is not None:
            self._scratch.remove()
            self._scratch = None
        self._pipe.close()
        self._pipe = self._process = None
        return _cause(code)


def _cause(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the process that ran it ended with exit code {code}"
    name = signal.Signals(-code).name
    hint = ", perhaps out of memory" if name == "SIGKILL" else ""
    return f"the process that ran it died of {name}{hint}"
