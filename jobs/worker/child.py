"""The child process of a worker: it does the work, and ends with its supervisor.

The supervisor moves a fence, a time at which the child ends itself: a lease that was not extended
until then may belong to another worker.
"""

from __future__ import annotations

import errno
import importlib
import math
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Generic, TypeVar

from ina_cli import escapes
from jobs.errors import CallRefused, JobFailed
from jobs.inputs import intake
from jobs.outputs import publish, storage_probe
from jobs.retry import boottime
from jobs.system import scratch as scratch_folder
from jobs.types import MAX_ERROR_CHARS, MAX_FAULT_CHARS, Lease, Outcome, PartPaths, Probe
from jobs.wire.calls import require_message
from jobs.wire.plain_text import plain_text
from jobs.worker import examination, messages

T = TypeVar("T")
Report = Callable[[Mapping[str, Any]], None]
"""Function that takes the progress of a job."""
Task = Callable[[Lease, PartPaths, Report], Mapping[str, float]]
"""Function that does a job and returns its statistics.

It writes the file of each exporter. It removes those that have none, and gives up those that fail.
"""
REPORT_EVERY_S = 0.2
FENCE_LOOK_S = 2.0
PATH_ERRNOS = frozenset(
    {errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST}
    | {errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}
)
"""Errors that say that a path is wrong; all others may pass, or not meet another worker."""


def main(
    connection: Connection, scratch: str | None, factory: str, local: Mapping[str, Any]
) -> None:
    """Carry out the commands that come through the pipe, one after the other.

    Args:
        connection: Pipe to the supervisor.
        scratch: Folder for temporary files, see `ScratchFolder`; without one, that of the system.
        factory: `module:function` that makes the task; called at the first job.
        local: Argument of the factory: the options of this worker.
    """
    # A group of its own: a signal to the group of the supervisor must not interrupt a job, and the
    # programs that the task starts can be ended with it.
    escapes.show()
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if scratch is not None:
        scratch_folder.use(scratch)
    commands: queue.SimpleQueue[tuple[str, Lease | Probe]] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(connection, commands), daemon=True).start()
    runner = Runner(factory, local, connection)
    while True:
        runner.carry_out(*commands.get())


def _receive(
    connection: Connection, commands: queue.SimpleQueue[tuple[str, Lease | Probe]]
) -> None:
    """Queue the commands; end the process group at the fence, or when the supervisor is gone."""
    fence = math.inf
    try:
        while (left_s := fence - boottime()) > 0:
            # Waiting stands still during suspend, the fence does not.
            if connection.poll(min(left_s, FENCE_LOOK_S)):
                name, value = connection.recv()
                if name == "fence":
                    fence = value
                else:
                    commands.put((name, value))
    except (EOFError, OSError):
        pass
    finally:
        # Whatever ended this: without a fence the child must not go on.
        os.killpg(0, signal.SIGKILL)


class Runner:
    """The commands of the supervisor; the task is made once, at the first job."""

    def __init__(self, factory: str, local: Mapping[str, Any], connection: Connection) -> None:
        self._factory = factory
        self._local = dict(local)
        self._connection = connection
        self._mutex = threading.Lock()
        self._task: Task | None = None
        self._last_report = -math.inf

    def carry_out(self, command: str, value: Lease | Probe) -> None:
        """Carry out a command; all but `discard` send an outcome.

        Args:
            command: `probe`, `run`, `publish`, `discard`, or `examine` after a job that was ended.
            value: What the command is about.
        """
        if isinstance(value, Probe):
            self._send("outcome", outcome_of(lambda: Outcome(error=storage_probe.find(value))))
        else:
            self._carry_out(command, value)

    def _carry_out(self, command: str, lease: Lease) -> None:
        if command == "discard":
            attempt(lambda: publish.discard(lease))
        elif command == "publish":
            self._send(
                "outcome", examination.examined(lease, outcome_of(lambda: self._publish(lease)))
            )
        elif command == "examine":
            self._send("outcome", examination.examined(lease, Outcome(kind="resource")))
        else:
            outcome = examination.examined(lease, outcome_of(lambda: self._run(lease)))
            if outcome.manifest is None:
                attempt(lambda: publish.discard(lease))
            self._send("outcome", outcome)

    def _run(self, lease: Lease) -> Outcome:
        examination.require_storage(lease)
        with intake.admitted(lease, self._report) as admitted:
            publish.open_folders(lease)
            if self._task is None:
                self._report({"stage": "loading"})
                self._task = load_factory(self._factory)(self._local)
            with publish.OpenParts(lease) as outputs:
                try:
                    return self._write(self._task, admitted, outputs)
                except JobFailed as error:
                    raise JobFailed(error.kind, outputs.in_place(error.message)) from error

    def _write(self, task: Task, lease: Lease, outputs: publish.OpenParts) -> Outcome:
        parts = outputs.paths()
        statistics = plain_values(task(lease, parts, self._report))
        self._report_publishing()
        manifest = outputs.seal(statistics, parts, self._report_publishing)
        faults = {
            name: plain_text(outputs.in_place(reason), MAX_FAULT_CHARS)
            for name, reason in parts.faults.items()
        }
        return Outcome(manifest=replace(manifest, faults=faults))

    def _publish(self, lease: Lease) -> Outcome:
        assert lease.manifest is not None
        intake.require_bounds(lease)
        publish.commit(lease, self._report_publishing)
        return Outcome(manifest=lease.manifest)

    def _report_publishing(self) -> None:
        self._report({"stage": "publishing", "fraction": 1.0, "done": 1.0})

    def _report(self, progress: Mapping[str, Any]) -> None:
        """Send the progress to the supervisor, at most every 0.2 s."""
        now = time.monotonic()
        if now - self._last_report >= REPORT_EVERY_S:
            self._last_report = now
            self._send("progress", progress)

    def _send(self, name: str, value: Any) -> None:
        data = messages.encode(name, value)
        with self._mutex:
            self._connection.send_bytes(data)


def plain_values(statistics: Mapping[str, Any]) -> dict[str, float]:
    """Return the statistics of a task as built-in numbers.

    Raises:
        JobFailed: One of them is no finite number.
    """
    values = messages.built_in(statistics)
    try:
        require_message("statistics", values)
    except CallRefused as refusal:
        raise JobFailed("bug", f"the task returned {refusal}") from None
    return values


def load_factory(factory: str) -> Callable[[dict[str, Any]], Task]:
    """Return the function that a name, `module:function`, stands for."""
    module, _, function = factory.partition(":")
    return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Attempt(Generic[T]):
    """The result of an action: its value, or its failure."""

    value: T | None = None
    failure: Outcome | None = None


def attempt(action: Callable[[], T]) -> Attempt[T]:
    """Carry out an action; return its value, or its error as a failure with a kind."""
    try:
        return Attempt(value=action())
    except JobFailed as error:
        return _failed(error.kind, error.message)
    except MemoryError:
        return _failed("resource", "out of memory: give the worker more, or a smaller batch")
    except OSError as error:
        return _failed("input" if error.errno in PATH_ERRNOS else "resource", str(error))
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        return _failed("bug", f"{type(error).__name__}: {error} ({where})")


def outcome_of(action: Callable[[], Outcome | None]) -> Outcome:
    """Carry out an action; return its outcome, or its failure."""
    result = attempt(action)
    return result.failure or result.value or Outcome()


def _failed(kind: str, text: str) -> Attempt[Any]:
    return Attempt(failure=Outcome(kind=kind, error=plain_text(text, MAX_ERROR_CHARS)))
