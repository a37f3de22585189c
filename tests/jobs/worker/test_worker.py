"""Workers as processes, against a server on a loopback socket."""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from jobs.types import Manifest, PartFile
from jobs.worker.client import Client
from tests.support.jobs import write_parts
from tests.support.load import INFO
from tests.support.processes import until
from tests.support.servers import Server, serving, working


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def finish(process: "subprocess.Popen[str]", code: int = 0) -> None:
    assert process.wait(60) == code


@pytest.fixture
def media(tmp_path: Path) -> dict[str, str]:
    return {"a": "sleep 0.1", "b": "sleep 0.1"}


@pytest.fixture
def server(tmp_path: Path, media: dict[str, str]) -> Iterator[Server]:
    with serving(tmp_path, media, lease_s=2.0) as running:
        yield running


def test_a_worker_does_every_job_and_leaves(server: Server) -> None:
    with working(server.uri) as worker:
        finish(worker)
    assert server.counts() == {"done": 2}
    assert server.csv("a").read_text() == "csv of a.mp4\n"
    outputs = sorted(path.name for path in (server.folder / "out").glob("[!.]*"))
    assert outputs == ["a.ass", "a.csv", "b.ass", "b.csv"]
    assert server.service.status()["workers"] == []


def test_bad_jobs_fail_for_their_reasons_and_the_others_finish(tmp_path: Path) -> None:
    media = {
        "good": "",
        "input": "input no video in it",
        "bug": "raise",
        "memory": "memory",
        "segfault": "segfault",
        "killed": "exit 7",
        "last": "",
    }
    with serving(tmp_path, media) as server, working(server.uri) as worker:
        server.ledger.max_attempts = 1
        finish(worker)
        jobs = {job: server.job(job) for job in range(1, 8)}
    kinds = [(job.state.value, job.error_kind) for job in jobs.values()]
    assert kinds == [
        ("done", None),
        ("failed", "input"),
        ("failed", "bug"),
        ("failed", "resource"),
        ("poison", "crash"),
        ("poison", "crash"),
        ("done", None),
    ]
    assert jobs[2].error == "no video in it"
    assert jobs[3].error is not None
    assert jobs[3].error.startswith("ZeroDivisionError: a bug (tasks.py:")
    assert jobs[5].error is not None
    assert "SIGSEGV" in jobs[5].error
    assert not list((tmp_path / "out").glob("*.part.*"))


def test_a_missing_medium_fails_once(tmp_path: Path) -> None:
    with serving(tmp_path, {"a": ""}) as server:
        (tmp_path / "a.mp4").unlink()
        with working(server.uri) as worker:
            finish(worker)
        assert (server.job(1).state.value, server.job(1).attempts) == ("failed", 1)


def test_a_crash_costs_one_attempt(tmp_path: Path) -> None:
    media = {"a": f"once {tmp_path / 'seen'}"}
    with serving(tmp_path, media) as server, working(server.uri) as worker:
        finish(worker)
        assert (server.job(1).state.value, server.job(1).lost) == ("done", 1)


def test_a_hang_is_ended(tmp_path: Path) -> None:
    with serving(tmp_path, {"a": "hang"}) as server:
        server.ledger.max_attempts = 1
        with working(server.uri, stall_s=1.0) as worker:
            finish(worker)
        assert (server.job(1).state.value, server.job(1).error_kind) == ("failed", "resource")
        assert (server.job(1).error or "").startswith("no progress for 1 s")


def test_a_killed_worker_takes_its_child_along_and_its_job_is_done_by_another(
    tmp_path: Path,
) -> None:
    pid_file = tmp_path / "pid"
    media = {"a": f"pid {pid_file}\nsleep 1"}
    with serving(tmp_path, media, lease_s=2.0) as server:
        with working(server.uri) as victim:
            until(lambda: pid_file.exists() and pid_file.read_text())
            victim.kill()
            until(lambda: not alive(int(pid_file.read_text())), within_s=2.0)
        with working(server.uri) as heir:
            finish(heir)
        assert (server.job(1).state.value, server.job(1).token) == ("done", 2)


def test_a_stopped_worker_loses_its_job_and_its_late_result(tmp_path: Path) -> None:
    media = {"a": "sleep 0.5"}
    with serving(tmp_path, media, lease_s=1.5) as server, working(server.uri) as zombie:
        until(lambda: server.counts().get("leased"))
        zombie.send_signal(signal.SIGSTOP)
        with working(server.uri) as heir:
            finish(heir)
        zombie.send_signal(signal.SIGCONT)
        finish(zombie)
        assert (server.job(1).state.value, server.job(1).token) == ("done", 2)
        assert server.events("done") == 1


@pytest.mark.parametrize("renamed", [0, 1, 2])
def test_a_worker_finishes_the_renames_of_a_lost_one(tmp_path: Path, renamed: int) -> None:
    with serving(tmp_path, {"a": ""}, lease_s=1.0) as server:
        files = prepare_and_vanish(server)
        for file in list(files.values())[:renamed]:
            Path(file.part).replace(file.path)
        with working(server.uri) as heir:
            finish(heir)
        assert (server.job(1).state.value, server.job(1).token) == ("done", 1)
        assert server.events("done") == 1
        assert server.csv("a").read_text() == "lost worker's csv"


def test_a_job_whose_files_are_gone_runs_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.ledger.ledger.backoff", lambda fails: 0.1)
    with serving(tmp_path, {"a": ""}, lease_s=1.0) as server:
        for file in prepare_and_vanish(server).values():
            Path(file.part).unlink()
        with working(server.uri) as heir:
            finish(heir)
        assert (server.job(1).state.value, server.job(1).token) == ("done", 2)


def test_a_worker_renames_nothing_that_is_not_its_job_s(tmp_path: Path) -> None:
    """Whatever the ledger holds of an adopted job."""
    victim, poison = tmp_path / "victim", tmp_path / "poison"
    victim.write_text("sentinel")
    poison.write_text("other")
    with serving(tmp_path, {"a": ""}, lease_s=1.0) as server:
        (lease,) = server.ledger.claim("peer", "r", 1)
        file = PartFile(part=str(poison), path=str(victim), sha256="0", size=5)
        assert server.ledger.prepare(1, 1, "peer", Manifest(files={"csv": file}).to_dict())
        server.service._unpublished.add(lease.id)
        with working(server.uri) as heir:
            finish(heir)
        assert (server.job(1).state.value, server.job(1).error_kind) == ("failed", "input")
        assert "is not the job's csv: nothing is published" in (server.job(1).error or "")
    assert (victim.read_text(), poison.read_text()) == ("sentinel", "other")


def prepare_and_vanish(server: Server) -> Mapping[str, PartFile]:
    """Be a worker that dies before its renames; return its files."""
    client = Client(server.uri, name="lost")
    client.hello(INFO)
    (lease,) = client.claim().leases
    manifest = write_parts(lease, text="lost worker's")
    assert client.prepare(lease, manifest)
    client.close()
    return manifest.files


def test_a_silent_supervisor_does_not_keep_its_child(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    media = {"a": f"pid {pid_file}\nsleep 60"}
    with serving(tmp_path, media, lease_s=2.0) as server, working(server.uri) as worker:
        until(lambda: pid_file.exists() and pid_file.read_text())
        worker.send_signal(signal.SIGSTOP)
        until(lambda: not alive(int(pid_file.read_text())), within_s=2.5)


def test_sigterm_lets_the_job_finish(tmp_path: Path) -> None:
    media = {"a": "sleep 1", "b": ""}
    with serving(tmp_path, media) as server, working(server.uri) as worker:
        until(lambda: server.counts().get("leased"))
        worker.terminate()
        finish(worker)
        assert server.counts() == {"done": 1, "ready": 1}


@pytest.mark.parametrize("how", ["grace", "twice"])
def test_a_job_that_takes_too_long_to_drain_is_released_without_blame(
    tmp_path: Path, how: str
) -> None:
    with (
        serving(tmp_path, {"a": "sleep 60"}) as server,
        working(server.uri, grace_s=0.5 if how == "grace" else 60.0) as worker,
    ):
        until(lambda: server.counts().get("leased"))
        worker.terminate()
        if how == "twice":
            # Signals that arrive together are one.
            time.sleep(0.3)
            worker.terminate()
        finish(worker)
        assert server.counts() == {"ready": 1}
        assert server.job(1).lost == 0


def test_a_server_that_drains_sends_its_workers_home(tmp_path: Path) -> None:
    media = {"a": "sleep 1", "b": ""}
    with serving(tmp_path, media, lease_s=3.0) as server, working(server.uri) as worker:
        until(lambda: server.counts().get("leased"))
        server.service.draining = True
        finish(worker)
        assert server.counts() == {"done": 1, "ready": 1}


def test_a_worker_waits_for_a_restarted_server(tmp_path: Path) -> None:
    media = {"a": "sleep 1", "b": "sleep 0.1"}
    with ExitStack() as stack:
        with serving(tmp_path, media) as first:
            port = first.port
            worker = stack.enter_context(working(first.uri))
            # At work: a server that ends takes its probe along, and without it no job begins.
            until(lambda: list(tmp_path.glob("out/a.csv.part.*")))
        second = stack.enter_context(serving(tmp_path, media, port=port))
        finish(worker)
        assert second.counts() == {"done": 2}
        assert second.job(1).token == 1


def test_a_server_that_is_gone_is_given_up(tmp_path: Path) -> None:
    with working("PYRO:ina.jobs@localhost:1", patience_s=0.5) as worker:
        _, errors = worker.communicate(timeout=60)
    assert "ServerGone" in errors
    assert "is the server running?" in errors


def test_a_worker_of_another_version_is_refused(server: Server) -> None:
    with working(server.uri, program="2") as worker:
        _, errors = worker.communicate(timeout=60)
    assert "program: '2' here, '1' on the server" in errors


def test_a_worker_without_its_parent_takes_no_more_jobs(server: Server) -> None:
    with working(server.uri, parent=1) as worker:
        finish(worker)
    assert server.counts() == {"ready": 2}
