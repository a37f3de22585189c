"""Verbs of an operator on a running server with 250,000 jobs, in bounded memory."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from jobs.ledger import schema
from tests.support.processes import ROOT, kill, until

pytestmark = pytest.mark.acceptance
JOBS = 250_000
MAX_MB = 256
"""Of a process: 138 MB after the import, and up to 64 MB for SQLite's cache."""


def peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


class Served:
    """A server that is kept alive, without workers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ledger = folder, folder / "jobs.ledger"
        with (folder / "jobs.csv").open("w") as file:
            file.write("source_path,dest_csv\n")
            file.writelines(f"/m/{n}.mp4,{folder}/out/{n}.csv\n" for n in range(JOBS))
        command = [ROOT / "ina_server.py", "localhost", "jobs.csv", "--port", "0", "--keep_alive"]
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, *map(str, command), "--ledger", str(self.ledger)],
                cwd=folder,
                stdout=log,
                stderr=log,
                text=True,
            )
        until(lambda: "PYRO:" in (folder / "log").read_text(), within_s=240)

    def change(self, query: str, *values: object) -> None:
        """Change the ledger beside the server."""
        with closing(schema.connect(self.ledger)) as db:
            db.execute(query, values)

    def counts(self) -> dict[str, int]:
        with closing(schema.connect(self.ledger, readonly=True)) as db:
            return dict(db.execute("SELECT state, n FROM counter WHERE n > 0"))

    def events(self, what: str) -> int:
        with closing(schema.connect(self.ledger, readonly=True)) as db:
            query = "SELECT COUNT(*) FROM event WHERE what = ?"
            return int(db.execute(query, (what,)).fetchone()[0])

    def verb(self, *words: str) -> tuple[int, str, str]:
        """Run a command; return exit code, output and errors."""
        code = (
            "import sys; from jobs.commands._program import main; code = main();"
            "text = open('/proc/self/status').read();"
            "print('peak', text.partition('VmHWM:')[2].split()[0]); sys.exit(code)"
        )
        command = [sys.executable, "-c", code, *words, "--ledger", str(self.ledger)]
        out = self.folder / "out.txt"
        with out.open("w") as file:
            done = subprocess.run(
                command, cwd=ROOT, stdout=file, stderr=subprocess.PIPE, text=True, timeout=500
            )
        text, _, peak = out.read_text().rpartition("peak ")
        assert int(peak) / 1024 < MAX_MB / 2
        return done.returncode, text, done.stderr


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    running = Served(folder)
    try:
        yield running
    finally:
        kill(running.process)


@pytest.mark.timeout(1200)
def test_every_verb_takes_250000_jobs_beside_the_server(tmp_path: Path) -> None:
    with served(tmp_path) as target:
        code, out, _ = target.verb("cancel", "--all")
        assert (code, out) == (0, f"{JOBS} jobs are cancelled\n")
        assert target.counts() == {"cancelled": JOBS}
        assert target.events("cancelled") == JOBS

        target.change("UPDATE job SET state = 'failed', err_kind = 'input'")
        code, out, _ = target.verb("retry")
        assert (code, out) == (0, f"{JOBS} jobs are to be tried again\n")
        assert target.counts() == {"ready": JOBS}

        file = {"part": "p", "path": str(tmp_path / "gone.csv"), "sha256": "0", "size": 1}
        manifest = json.dumps({"files": {"csv": file}, "statistics": {}})
        target.change("UPDATE job SET state = 'done', manifest = ?", manifest)
        code, out, errors = target.verb("verify")
        assert code == 1
        *lines, checked, redone = out.splitlines()
        assert len(lines) == JOBS
        assert checked == f"{JOBS} jobs checked, {JOBS} with outputs that are altered or missing"
        assert redone == f"{JOBS} jobs are to be done again: the server does them"
        assert f" of {JOBS} jobs" in errors
        assert target.counts() == {"ready": JOBS}
        assert peak_mb(target.process.pid) < MAX_MB
        with closing(sqlite3.connect(target.ledger)) as db:
            assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
