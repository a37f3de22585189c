"""The fault table of docs/reliability.md: what happens to processes, clocks and messages."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.ledger import queries
from jobs.ledger.store import Store
from tests.support.cluster import cluster
from tests.support.injectors import Clock, LossyProxy
from tests.support.processes import ROOT, children, kill, until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
LEASE = ("--lease", "2")


def test_05_replies_that_are_lost(tmp_path: Path) -> None:
    media = {f"m{n}": "" for n in range(20)}
    # The worker does not see the port of the server, by which it would find the token.
    with cluster(tmp_path, media, options=("--lease", "10", "--no_token")) as target:
        target.serve()
        proxy = LossyProxy(target.port, lose_every=4)
        target.uri = f"PYRO:ina.jobs@localhost:{proxy.port}"
        target.work()
        assert target.finish() == 0
        proxy.close()
        target.assert_nothing_lost(done=20)
        assert target.query("SELECT MAX(token) FROM job") == [(1,)]
        assert proxy.lost > 10


@pytest.mark.parametrize("when", ["before", "after"])
def test_06_death_around_the_renames(tmp_path: Path, when: str) -> None:
    media = {"a": f"die {when} {tmp_path / 'died'}", "b": ""}
    with cluster(tmp_path, media, options=LEASE) as target:
        target.serve()
        first = target.work()
        first.wait(30)
        assert (tmp_path / "died").exists()
        assert target.counts()["publishing"] == 1
        target.work()
        assert target.finish() == 0
        target.assert_nothing_lost(done=2)
        assert target.query("SELECT token FROM job WHERE id = 1") == [(1,)]


def test_07_clocks_that_jump(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    media = {f"m{n}": "sleep 1.5" for n in range(4)}
    with cluster(tmp_path, media, options=LEASE, env=clock.env) as target:
        target.serve()
        target.work()
        until(lambda: target.counts().get("leased"))
        for days in (3, -2, 0):
            clock.set(days)
            time.sleep(1)
        assert target.finish() == 0
        target.assert_nothing_lost(done=4)
        assert target.query("SELECT MAX(token), MAX(lost) FROM job") == [(1, 0)]
        ((first, last),) = target.query("SELECT MIN(t_wall), MAX(t_wall) FROM event")
        assert last - first > 2 * 86400, "the clock has not jumped"


def test_07_a_lease_ends_in_time_whatever_the_clock_says(tmp_path: Path) -> None:
    clock = Clock(tmp_path)
    with cluster(tmp_path, {"a": "sleep 1"}, options=LEASE, env=clock.env) as target:
        target.serve()
        victim = target.work()
        until(lambda: target.counts().get("leased"))
        clock.set(-2)
        kill(victim)
        started = time.monotonic()
        target.work()
        until(lambda: target.query("SELECT token FROM job") == [(2,)])
        assert time.monotonic() - started < 10
        assert target.finish() == 0


WRITER = """
import sys
from jobs.ledger.ledger import Ledger
from jobs.ledger.imports import import_jobs
from joblist.model import JobSpec
from jobs.ledger.store import Store
from pathlib import Path
ledger = Ledger(Store(Path(sys.argv[1])))
ledger.store._db.execute("PRAGMA wal_autocheckpoint = 0")
specs = [JobSpec(f"/m/{n}.mp4", {"csv": f"/o/{n}.csv"}, line=n) for n in range(100_000)]
import_jobs(ledger, specs, options_digest="o")
n = 0
while True:
    ledger.claim("w", f"r{n}", 1)
    n += 1
    print(n, flush=True)
"""


def test_12_the_tail_of_the_ledger_is_torn(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for turn in range(5):
            acknowledged = [int(writer.stdout.readline()) for _ in range(40)][-1]
            writer.send_signal(signal.SIGSTOP)
            copy = tmp_path / f"{turn}.ledger"
            shutil.copy(path, copy)
            wal = Path(f"{path}-wal").read_bytes()
            Path(f"{copy}-wal").write_bytes(wal + os.urandom(3000))
            writer.send_signal(signal.SIGCONT)
            store = Store(copy)
            assert store.read(queries.counts)["leased"] >= acknowledged
            with store.transaction() as db:
                assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
            store.close()
        writer.kill()


@pytest.mark.parametrize(
    ("text", "state", "kind", "says"),
    [
        ("hang", "failed", "resource", "no progress for 1 s"),
        ("sleep 60", "failed", "resource", "not finished after 2 s"),
        ("segfault", "poison", "crash", "SIGSEGV"),
        ("oomkill", "poison", "crash", "SIGKILL, perhaps out of memory"),
        ("allocate", "failed", "resource", "out of memory"),
    ],
)
def test_13_a_child_in_trouble(tmp_path: Path, text: str, state: str, kind: str, says: str) -> None:
    options = ("--max_attempts", "1", "--lease", "20")
    with cluster(tmp_path, {"bad": text, "good": ""}, options=options) as target:
        target.serve()
        target.work(stall_s=1.0 if text == "hang" else 30.0, wall_s=2.0)
        assert target.finish() == 1
        ends = target.query("SELECT state, err_kind, err FROM job WHERE id = 1")
        assert ends[0][:2] == (state, kind)
        assert says in ends[0][2]
        target.assert_nothing_lost(done=1)


def test_20_outputs_that_are_altered_or_removed(tmp_path: Path) -> None:
    with cluster(tmp_path, {f"m{n}": "" for n in range(4)}) as target:
        target.serve()
        target.work()
        assert target.finish() == 0
        assert target.jobs("verify").returncode == 0
        (target.out / "m0.csv").unlink()
        (target.out / "m1.ass").write_text((target.out / "m1.ass").read_text().swapcase())
        done = target.jobs("verify")
        assert done.returncode == 1
        assert f"missing: {target.out / 'm0.csv'}" in done.stdout
        assert f"altered: {target.out / 'm1.ass'}" in done.stdout
        assert target.counts() == {"done": 2, "ready": 2}
        target.serve()
        target.work()
        assert target.finish() == 0
        assert target.jobs("verify").returncode == 0


def test_23_other_models_are_refused(tmp_path: Path) -> None:
    with cluster(tmp_path, {"a": ""}) as target:
        target.serve()
        stranger = target.work(models={"centerface": "0" * 64})
        assert stranger.wait(30) == 1
        assert "model centerface: '000000000000' here" in target.log()


def test_24_all_workers_hang_at_once(tmp_path: Path) -> None:
    media = {f"m{n}": "sleep 0.5" for n in range(12)}
    with cluster(tmp_path, media, options=LEASE) as target:
        target.serve()
        workers = [target.work() for _ in range(4)]
        for _ in range(3):
            until(lambda: target.counts().get("leased", 0) >= 3)
            pids = [pid for worker in workers for pid in (worker.pid, *children(worker.pid))]
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            time.sleep(3.5)
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)
        assert target.finish() == 0
        target.assert_nothing_lost(done=12)
        assert target.query("SELECT MAX(lost) FROM job") == [(0,)]


def test_the_operator_steers_a_running_server(tmp_path: Path) -> None:
    media = {"a": "sleep 1", "b": "", "c": "", "bad": "input broken"}
    with cluster(tmp_path, media, options=("--keep_alive",)) as target:
        server = target.serve()
        until(lambda: target.counts().get("ready") == 4 and target.jobs("pause").returncode == 0)
        target.work()
        time.sleep(1.5)
        assert target.counts() == {"ready": 4}
        assert target.jobs("cancel", "--job", str(target.out / "c.csv")).returncode == 0
        assert target.jobs("resume").returncode == 0
        until(lambda: target.counts() == {"done": 2, "cancelled": 1, "failed": 1})
        assert "job 4" in target.jobs("status").stdout
        assert "2 jobs" in target.jobs("retry", "--job", "3", "--job", "4").stdout
        until(lambda: target.counts() == {"done": 3, "failed": 1})
        assert target.jobs("retry", "--job", "99").returncode == 2
        assert target.jobs("drain").returncode == 0
        assert server.wait(30) == 1
        refused = target.jobs("pause")
        assert (refused.returncode, "does not answer" in refused.stderr) == (2, True)


def test_a_worker_that_spoils_jobs_is_sent_away(tmp_path: Path) -> None:
    media = {f"m{n}": "if bad transient no" for n in range(60)}
    with cluster(tmp_path, media, options=("--max_attempts", "20", "--keep_alive")) as target:
        target.serve()
        bad = target.work(local={"is": "bad"})
        good = target.work()
        assert bad.wait(60) == 1
        assert "fails at jobs that others complete" in target.log()
        assert good.poll() is None


def test_a_ledger_that_is_read_while_it_is_written_stays_whole(tmp_path: Path) -> None:
    with cluster(tmp_path, {f"m{n}": "" for n in range(5)}) as target:
        target.serve()
        target.work()
        while target.server is not None and target.server.poll() is None:
            target.counts()
        db = sqlite3.connect(target.ledger)
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        db.close()
