"""A stand-in for the analysis: the medium's text says how its job behaves.

Run as a script, it is a worker with settings given as JSON.
"""

import ctypes
import gc
import hashlib
import json
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from jobs.errors import JobFailed
from jobs.outputs import publish
from jobs.types import Lease, PartPaths
from jobs.wire.transport import Access
from jobs.worker.child import Report, Task
from jobs.worker.worker import Worker, WorkerSettings


def make_task(local: dict[str, Any]) -> Task:
    """Return a task that obeys its medium."""

    def task(lease: Lease, parts: PartPaths, report: Report) -> Mapping[str, float]:
        statistics = {"media_s": 2.0, "persons": 1, "frames_decoded": 50}
        for line in Path(lease.source_path).read_text().splitlines():
            verb, _, argument = line.partition(" ")
            if verb == "if":
                name_of_worker, _, rest = argument.partition(" ")
                verb, _, argument = (
                    rest.partition(" ") if local.get("is") == name_of_worker else ("", "", "")
                )
            if verb == "statistics":
                statistics = json.loads(argument)
            if verb == "record" and lease.shard:
                with Path(argument).open("a") as file:
                    file.write(f"shard-{lease.shard.number + 1}\n")
            if verb == "give_up":
                name, _, reason = argument.partition(" ")
                parts.give_up(name, reason)
                statistics["partial"] = 1
            obey(verb, argument, report)
        source = Path(lease.source_path).name
        if lease.shard:
            parts["csv"].write_text(f"{lease.shard} of {source}\n")
            return {}
        for number, file in enumerate(lease.parts, start=1):
            text = Path(file).read_text() if Path(file).exists() else "gone"
            if text != f"shard {number} of {len(lease.parts)} of {source}\n":
                raise JobFailed("transient", f"{file} is {text}")
        for name, part in parts.items():
            if name == "csv" and "write slowly" in Path(lease.source_path).read_text():
                write_slowly(part, f"{name} of {lease.source_path}\n")
            else:
                part.write_text(f"{name} of {source}\n")
            if size := int(local.get("size", 0)):
                os.truncate(part, size)
        return statistics

    return task


def write_slowly(part: Path, line: str) -> None:
    """Write line by line, so that a second writer of the file would mix its own in."""
    with part.open("w") as file:
        for _ in range(20):
            file.write(line)
            file.flush()
            time.sleep(0.02)


def obey(verb: str, argument: str, report: Report) -> None:
    """Carry out one line of a medium."""
    if verb == "sleep":
        until = time.monotonic() + float(argument)
        while time.monotonic() < until:
            report({"stage": "sleep", "fraction": 0.5, "pid": os.getpid()})
            time.sleep(0.02)
    elif verb == "fetch":
        until = time.monotonic() + float(argument)
        while time.monotonic() < until:
            report({"stage": "fetch"})
            time.sleep(0.05)
    elif verb == "slow_disk":
        slow_disk(float(argument))
    elif verb == "observe":
        observe(float(argument), report)
    elif verb == "report":
        report(json.loads(argument))
    elif verb == "babble":
        for pipe in (thing for thing in gc.get_objects() if isinstance(thing, Connection)):
            pipe.send_bytes(bytes.fromhex(argument))
        time.sleep(60)
    elif verb == "hang":
        time.sleep(3600)
    elif verb == "segfault":
        ctypes.string_at(0)
    elif verb == "exit":
        os._exit(int(argument))
    elif verb == "murder":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(3600)
    elif verb == "die":
        die(*argument.split(" ", 1))
    elif verb == "oomkill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif verb == "allocate":
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, resource.RLIM_INFINITY))
        bytearray(2 << 30)
    elif verb == "pid":
        Path(argument).write_text(str(os.getpid()))
    elif verb == "raise":
        raise ZeroDivisionError("a bug")
    elif verb == "memory":
        raise MemoryError
    elif verb == "once_pid":
        if not Path(argument).exists():
            Path(argument).write_text(str(os.getpid()))
    elif verb == "once":
        # Fails at the first attempt: the file remembers.
        if not Path(argument).exists():
            Path(argument).touch()
            os._exit(9)
    elif verb == "first":
        # The first attempt fails, the others take their time.
        if not Path(argument).exists():
            Path(argument).touch()
            raise JobFailed("input", "cannot be read")
        obey("sleep", "5", report)
    elif verb == "lose":
        folder, once = map(Path, argument.split(" "))
        parts = list(folder.glob("*.5of5.npz"))
        if parts and not once.exists():
            once.touch()
            parts[0].unlink()
    elif verb in ("input", "transient", "resource", "worker"):
        raise JobFailed(verb, argument)


def observe(length_s: float, report: Report) -> None:
    """Be further with time, as an analysis is."""
    began = time.monotonic()
    while (done := (time.monotonic() - began) / length_s) < 1:
        device = "cuda:0 NVIDIA L4"
        progress = {"stage": "observe", "fraction": done, "done": done}
        report({**progress, "speed": 12.5, "device": device})
        time.sleep(0.1)


def slow_disk(pause_s: float) -> None:
    """Have each piece of a file that is read for its digest take a while."""
    new = hashlib.sha256

    class SlowDigest:
        def __init__(self) -> None:
            self._digest = new()

        def update(self, data: bytes) -> None:
            time.sleep(pause_s)
            self._digest.update(data)

        def hexdigest(self) -> str:
            return self._digest.hexdigest()

    hashlib.sha256 = SlowDigest  # type: ignore[assignment,misc]


def die(when: str, once: str) -> None:
    """Have this process and its supervisor die at the renames; the first time only."""
    commit = publish.commit

    def deadly(lease: Lease, *rest: Any) -> None:
        if when == "after":
            commit(lease, *rest)
        if not Path(once).exists():
            Path(once).touch()
            os.kill(os.getppid(), signal.SIGKILL)
            os._exit(9)
        commit(lease, *rest)

    publish.commit = deadly


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    access = Access.load(**settings.pop("access", {"token_file": None, "certs": None}))
    factory = "tests.support.tasks:make_task"
    worker = Worker(WorkerSettings(factory=factory, access=access, **settings))
    worker.stop_on_signals()
    worker.run()
