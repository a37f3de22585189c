"""Servers and workers for tests: real sockets, real processes."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobs.ledger import queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.retry import Timing
from jobs.server.server import JobServer
from jobs.server.service import JobService
from jobs.types import Job, JobSpec
from jobs.wire.transport import Access

ROOT = Path(__file__).parents[2]


class Server:
    """A server in this process."""

    def __init__(self, folder: Path, media: dict[str, str], **settings: Any) -> None:
        self.folder = folder
        lease_s = settings.pop("lease_s", 120.0)
        port, access = settings.pop("port", 0), settings.pop("access", None)
        self.store = Store(folder / "jobs.ledger")
        self.ledger = Ledger(self.store)
        import_jobs(self.ledger, write_media(folder, media), options_digest="opts")
        self.service = JobService(
            self.ledger,
            options={"fps": 5},
            options_digest="opts",
            timing=Timing(lease_s),
            program="1",
            **settings,
        )
        self.server = JobServer(
            self.service, host="localhost", port=port, access=access or Access()
        )
        self.server.start()
        self.uri = self.server.uri
        self.port = int(self.uri.rpartition(":")[2])

    def close(self) -> None:
        self.server.stop()
        self.store.close()

    def counts(self) -> dict[str, int]:
        return self.store.read(queries.counts)

    def job(self, number: int) -> Job:
        return self.store.read(lambda db: queries.job(db, number))

    def events(self, what: str) -> int:
        query = "SELECT COUNT(*) FROM event WHERE what = ?"
        return self.store.read(lambda db: int(db.execute(query, (what,)).fetchone()[0]))

    def csv(self, name: str) -> Path:
        return self.folder / "out" / f"{name}.csv"


def write_media(folder: Path, media: dict[str, str]) -> list[JobSpec]:
    """Write media that say what their jobs do; return their jobs."""
    specs = []
    for line, (name, text) in enumerate(media.items(), start=2):
        source = folder / f"{name}.mp4"
        source.write_text(text)
        dests = {kind: str(folder / "out" / f"{name}.{kind}") for kind in ("csv", "ass")}
        specs.append(JobSpec(source_path=str(source), dests=dests, line=line))
    return specs


@contextmanager
def serving(folder: Path, media: dict[str, str], **settings: Any) -> Iterator[Server]:
    server = Server(folder, media, **settings)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def working(uri: str, **settings: Any) -> Iterator["subprocess.Popen[str]"]:
    """A worker in its own process."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.support.tasks",
            json.dumps({"uri": uri, "program": "1", **settings}),
        ],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(condition: Callable[[], object], *, within_s: float = 15.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
