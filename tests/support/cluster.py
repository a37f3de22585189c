"""A real server and real workers for acceptance tests: processes that may be killed any time."""

import csv
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import analyzer
from analyzer.weights import locate
from ina.fingerprint import code_digests
from jobs.ledger import schema
from tests.support.processes import ROOT, children, free_port, kill

KINDS = ("ass", "csv")


class Cluster:
    """One joblist, its server, and workers; `stop` ends what is left.

    Args:
        folder: Of everything.
        media: Name -> what the stand-in for the analysis is to do; see tests.support.tasks.
        out: Folder of the outputs.
        ledger: By default, in `folder`.
        host: Where the server listens.
        options: Of the server.
    """

    def __init__(
        self,
        folder: Path,
        media: dict[str, str],
        *,
        out: Path | None = None,
        ledger: Path | None = None,
        host: str = "localhost",
        options: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
    ) -> None:
        self.folder, self.host, self.options, self.prefix = folder, host, options, prefix
        # A server that is killed leaves its token: in the test's folder, not in the user's.
        own = {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")}
        self.env = {**os.environ, **own, **(env or {})}
        self.out = out or folder / "out"
        self.ledger = ledger or folder / "jobs.ledger"
        self.port = free_port()
        self.uri = f"PYRO:ina.jobs@{host}:{self.port}"
        self.server: subprocess.Popen[str] | None = None
        self.workers: list[subprocess.Popen[str]] = []
        self._log = (folder / "log").open("a")
        for name, text in media.items():
            (folder / f"{name}.mp4").write_text(text)
        self.joblist({name: folder / f"{name}.mp4" for name in media})

    def joblist(self, sources: dict[str, Path], *, kinds: tuple[str, ...] = KINDS) -> None:
        """Write the joblist."""
        with (self.folder / "jobs.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["source_path", *(f"dest_{kind}" for kind in kinds)])
            for name, source in sources.items():
                writer.writerow([source, *(self.out / f"{name}.{kind}" for kind in kinds)])

    def serve(self) -> "subprocess.Popen[str]":
        """Start the server, again and again by the same command."""
        command = [sys.executable, str(ROOT / "ina_server.py"), self.host, "jobs.csv"]
        command += ["--port", str(self.port), "--ledger", str(self.ledger), *self.options]
        self.server = self._start([*self.prefix, *command])
        return self.server

    def work(self, *, prefix: tuple[str, ...] = (), **settings: Any) -> "subprocess.Popen[str]":
        """Start a worker with the stand-in for the analysis."""
        values = {
            "uri": self.uri,
            "program": analyzer.__version__,
            "models": locate.hashes(),
            "code": code_digests(),
            **settings,
        }
        command = [*prefix, sys.executable, "-m", "tests.support.tasks", json.dumps(values)]
        return self._worker(command)

    def analyse(self, *options: str) -> "subprocess.Popen[str]":
        """Start a worker with the real analysis."""
        return self._worker([sys.executable, str(ROOT / "ina_worker.py"), self.uri, *options])

    def _worker(self, command: list[str]) -> "subprocess.Popen[str]":
        process = self._start(command)
        self.workers.append(process)
        return process

    def _start(self, command: list[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def stop(self) -> None:
        """End every process that is left."""
        for process in filter(None, (self.server, *self.workers)):
            for pid in (*children(process.pid), process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
            kill(process)
        self._log.close()

    def finish(self, *, within_s: float = 60.0) -> int:
        """Wait for the end of the list; return the server's exit code."""
        assert self.server is not None
        try:
            return self.server.wait(within_s)
        except subprocess.TimeoutExpired:
            text = f"not finished in {within_s} s: {self.counts()}; {self.log()}"
            raise AssertionError(text) from None

    def query(self, text: str, *values: object) -> list[tuple[Any, ...]]:
        """Ask the ledger, whether or not a server runs."""
        with closing(schema.connect(self.ledger, readonly=True)) as db:
            return db.execute(text, values).fetchall()

    def counts(self) -> dict[str, int]:
        """The number of jobs in each state; empty as long as there is no ledger."""
        try:
            return dict(self.query("SELECT state, n FROM counter WHERE n > 0"))
        except sqlite3.OperationalError:
            return {}

    def events(self, what: str) -> int:
        return int(self.query("SELECT COUNT(*) FROM event WHERE what = ?", what)[0][0])

    def log(self) -> str:
        return (self.folder / "log").read_text()[-3000:]

    def jobs(self, *args: str) -> "subprocess.CompletedProcess[str]":
        """Run an operator's command."""
        command = [sys.executable, "-m", "jobs", *args, "--ledger", str(self.ledger)]
        return subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=60
        )

    def assert_nothing_lost(self, *, done: int) -> None:
        """Every job has one end; what stands on the disk is what the ledger says."""
        rows = self.query(
            "SELECT id, manifest FROM job WHERE state IN ('done', 'skipped') AND parent IS NULL"
        )
        assert len(rows) == done, self.log()
        ends = self.query(
            "SELECT job, COUNT(*) FROM event JOIN job ON job.id = event.job"
            " WHERE what = 'done' AND parent IS NULL GROUP BY job"
        )
        assert dict(ends) == {job: 1 for job, _ in rows}
        for _, manifest in rows:
            for file in json.loads(manifest)["files"].values():
                assert hashlib.sha256(Path(file["path"]).read_bytes()).hexdigest() == file["sha256"]
        assert not list(self.out.rglob("*.part.*"))


@contextmanager
def cluster(folder: Path, media: dict[str, str], **settings: Any) -> Iterator[Cluster]:
    running = Cluster(folder, media, **settings)
    try:
        yield running
    finally:
        running.stop()
