"""Servers, workers and dashboards for tests: real sockets, real processes."""

import csv
import http.client
import json
import ssl
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joblist.model import JobSpec
from jobs.dashboard.page import Dashboard
from jobs.ledger import queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.retry import Timing
from jobs.server.roster import Demands
from jobs.server.server import JobServer
from jobs.server.service import JobService
from jobs.types import Job, Manifest, PartFile
from jobs.wire.transport import Access
from tests.support.processes import ROOT


class Server:
    """A server in this process."""

    def __init__(self, folder: Path, media: dict[str, str], **settings: Any) -> None:
        self.folder = folder
        lease_s = settings.pop("lease_s", 120.0)
        port, access = settings.pop("port", 0), settings.pop("access", None)
        demands = settings.pop("demands", None)
        makes_token = settings.pop("makes_token", False)
        self.store = Store(folder / "jobs.ledger")
        self.ledger = Ledger(self.store)
        import_jobs(self.ledger, write_media(folder, media), options_digest="opts")
        self.service = JobService(
            self.ledger,
            options={"fps": 5},
            options_digest="opts",
            timing=Timing(lease_s),
            demands=demands or Demands(program="1"),
            **settings,
        )
        self.server = JobServer(
            self.service,
            host="localhost",
            port=port,
            access=access or Access(),
            makes_token=makes_token,
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


def opened(server: Server, **settings: Any) -> Dashboard:
    """A dashboard of a server, which listens."""
    settings = {"host": "localhost", "port": 0, "access": Access(), "title": "t", **settings}
    return Dashboard(server.service, server.ledger, **settings)


class Peer:
    """Asks a dashboard as anybody may."""

    def __init__(self, page: Dashboard, context: ssl.SSLContext | None = None) -> None:
        self.port = urllib.parse.urlsplit(page.url).port
        self.token = page.token_file.read_text().strip()
        self._context = context

    def ask(
        self, method: str, path: str, body: object = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        if self._context:
            host = "127.0.0.1"
            peer = http.client.HTTPSConnection(host, self.port, timeout=10, context=self._context)
        else:
            peer = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        text = None if body is None else json.dumps(body)
        kind = {"Content-Type": "application/json"} if body is not None else {}
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            peer.request(method, path, text, {**kind, **fields})
            answer = peer.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            peer.close()

    def get(self, path: str, **headers: str) -> Any:
        status, _, body = self.ask("GET", path, **headers)
        assert status == 200, body
        return json.loads(body)

    def do(self, verb: str, jobs: object) -> tuple[int, Any]:
        bearer = f"Bearer {self.token}"
        status, _, body = self.ask("POST", f"/api/{verb}", {"jobs": jobs}, Authorization=bearer)
        return status, json.loads(body)


def published(server: Server, number: int, *, page: Path, source: Path) -> None:
    """Let a job be done with a review page."""
    file = PartFile(part="p", path=str(page), sha256="0", size=1)
    with server.store.transaction() as db:
        spec = json.loads(db.execute("SELECT spec FROM job WHERE id = ?", (number,)).fetchone()[0])
        db.execute(
            "UPDATE job SET state = 'done', manifest = ?, spec = ? WHERE id = ?",
            (
                json.dumps(Manifest(files={"html": file}).to_dict()),
                json.dumps({**spec, "source_path": str(source)}),
                number,
            ),
        )


def serve(folder: Path, rows: list[dict[str, object]], *options: str) -> tuple[int, str]:
    """Write a joblist, serve it with one local worker, and return the exit code and all output."""
    joblist = folder / "jobs.csv"
    with joblist.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return serve_file(joblist, *options)


def serve_file(joblist: Path, *options: str, limit_s: float = 280) -> tuple[int, str]:
    """Serve a joblist; see `serve`."""
    command = [sys.executable, ROOT / "ina_server.py", "localhost", joblist, "--port", "0"]
    command += ["--ledger", joblist.with_suffix(".ledger"), "--workers", "1", *options]
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=limit_s, cwd=joblist.parent
    )
    return done.returncode, done.stdout + done.stderr


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
