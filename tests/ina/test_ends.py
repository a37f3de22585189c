"""How programs end: by signals, with their server, without their ledger, and with which code."""

import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import analyzer
from analyzer.weights import locate
from ina.fingerprint import code_digests
from jobs.ledger import schema
from tests.support.cluster import cluster
from tests.support.processes import (
    ROOT,
    children,
    command,
    counts,
    free_port,
    ledger_of,
    run,
    server,
    shell,
    until,
)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_hangup_lets_server_and_worker_finish_the_job(tmp_path: Path) -> None:
    with cluster(tmp_path, {"a": "sleep 1.5", "b": "sleep 60"}) as target:
        serving = target.serve()
        worker = target.work()
        until(lambda: target.counts().get("leased") == 1)
        # From the kernel and from the shell: still one request.
        serving.send_signal(signal.SIGHUP)
        serving.send_signal(signal.SIGHUP)
        assert target.finish() == 1
        assert worker.wait(60) == 0
        assert target.counts() == {"done": 1, "ready": 1}
        assert "run the same command again to resume" in target.log()


@pytest.mark.skipif(shutil.which("setsid") is None, reason="no setsid here")
def test_a_terminal_that_is_gone_lets_the_server_finish_the_job(tmp_path: Path) -> None:
    with cluster(tmp_path, {"a": "sleep 2", "b": "sleep 60"}) as target:
        master, terminal = os.openpty()
        words = [ROOT / "ina_server.py", "localhost", "jobs.csv", "--port", target.port]
        serving = subprocess.Popen(
            ["setsid", "-c", sys.executable, *map(str, words), "--ledger", str(target.ledger)],
            cwd=tmp_path,
            env=target.env,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        target.work()
        until(lambda: os.read(master, 4096) and target.counts().get("leased") == 1)
        os.close(master)
        assert serving.wait(60) == 1
        assert target.counts() == {"done": 1, "ready": 1}


def test_a_hangup_lets_a_worker_finish_its_job(tmp_path: Path) -> None:
    with cluster(tmp_path, {"a": "sleep 1.5", "b": ""}) as target:
        target.serve()
        worker = target.work()
        until(lambda: target.counts().get("leased") == 1)
        worker.send_signal(signal.SIGHUP)
        worker.send_signal(signal.SIGHUP)
        assert worker.wait(60) == 0
        assert target.counts() == {"done": 1, "ready": 1}


EARLY = """
import os, signal, sys
# In the background of a script it is ignored, and stays so.
signal.signal(signal.SIGINT, signal.default_int_handler)
from ina import {where} as module
import {program}

def step(*args, **kwargs):
    for number in {numbers}:
        os.kill(os.getpid(), number)
    return real(*args, **kwargs)

real, module.{name} = module.{name}, step
sys.exit({program}.main(sys.argv[1:]))
"""
TERM, HUP, INT = signal.SIGTERM.value, signal.SIGHUP.value, signal.SIGINT.value


@pytest.mark.parametrize("name", ["_import", "ServerRun"])
@pytest.mark.parametrize(
    ("numbers", "code"), [((TERM,), 1), ((HUP, HUP), 1), ((INT,), 130), ((TERM, INT, HUP), 1)]
)
def test_a_signal_before_anything_is_served_withdraws_the_claim(
    folder: Path, name: str, numbers: tuple[int, ...], code: int
) -> None:
    (folder / "out").mkdir()
    script = EARLY.format(where="server_run", program="ina_server", name=name, numbers=numbers)
    ended_code, out, errors = run(
        command("-c", script, "localhost", "jobs.csv", "--port", "0", cwd=folder)
    )
    assert (ended_code, out) == (code, "")
    assert errors == "ina_server: stopped before it served anything\n"
    assert not list(folder.rglob(".ina-claims"))
    assert not list(folder.rglob("*.token"))


@pytest.mark.parametrize(("number", "code"), [(TERM, 0), (HUP, 0), (INT, 130)])
def test_a_signal_before_a_worker_has_begun_ends_it_in_order(
    tmp_path: Path, number: int, code: int
) -> None:
    script = EARLY.format(
        where="fingerprint", program="ina_worker", name="model_hashes", numbers=(number,)
    )
    uri = f"PYRO:ina.jobs@localhost:{free_port()}"
    assert run(command("-c", script, uri, cwd=tmp_path)) == (code, "", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_worker_that_waits_for_a_server_is_asked_to_stop(
    tmp_path: Path, number: signal.Signals
) -> None:
    worker = command(
        str(ROOT / "ina_worker.py"), f"PYRO:ina.jobs@localhost:{free_port()}", cwd=tmp_path
    )
    with pytest.raises(subprocess.TimeoutExpired):
        worker.wait(4.0)
    worker.send_signal(number)
    assert run(worker)[0] == 0


def test_under_nohup_a_hangup_is_ignored(folder: Path) -> None:
    serving = shell("trap '' HUP; exec $S --keep_alive --workers 0", folder)
    assert serving.stdout is not None
    assert serving.stdout.readline().startswith("PYRO:")
    serving.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        serving.wait(1.0)
    serving.send_signal(signal.SIGTERM)
    assert run(serving)[0] == 1


def test_an_idle_worker_leaves_a_dead_server_within_15_s(folder: Path) -> None:
    serving = server(folder, "--keep_alive", "--workers", "1")
    assert serving.stdout is not None
    serving.stdout.readline()
    state = folder / "state"
    until(lambda: list(state.rglob("*.ledger")) and counts(folder) == {"failed": 2})
    (worker,) = [pid for pid in children(serving.pid) if "ina_worker" in cmdline(pid)]
    serving.kill()
    run(serving)
    until(lambda: not is_alive(worker), within_s=15)


LAUNCHER = """
import json, os, subprocess, sys, time
values = {**json.loads(sys.argv[1]), "parent": os.getpid()}
command = [sys.executable, "-m", "tests.support.tasks", json.dumps(values)]
print(subprocess.Popen(command, stdout=sys.stderr).pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("is_back", [True, False])
def test_a_worker_of_a_dead_server_finishes_publishes_and_leaves(
    tmp_path: Path, is_back: bool
) -> None:
    begun = tmp_path / "begun"
    film = f"pid {begun}\nsleep {6 if is_back else 60}"
    with cluster(tmp_path, {"a": film, "b": "sleep 60"}) as target:
        serving = target.serve()
        until(lambda: target.counts() == {"ready": 2})
        values = {
            "uri": target.uri,
            "program": analyzer.__version__,
            "models": locate.hashes(),
            "code": code_digests(),
        }
        settings = json.dumps(values if is_back else {**values, "grace_s": 1.0})
        launcher = command("-c", LAUNCHER, settings, cwd=tmp_path)
        assert launcher.stdout is not None
        worker = int(launcher.stdout.readline())
        # Leased is not yet begun: the ledger knows of it before the worker does.
        until(begun.exists)
        assert target.counts() == {"leased": 1, "ready": 1}
        serving.kill()
        serving.wait()
        launcher.kill()
        if is_back:
            target.serve()
        until(lambda: not is_alive(worker))
        launcher.communicate()
        assert target.counts() == {"done" if is_back else "leased": 1, "ready": 1}


def cmdline(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def serving_with_a_worker(folder: Path) -> "subprocess.Popen[str]":
    serving = server(folder, "--keep_alive", "--workers", "1")
    assert serving.stdout is not None
    serving.stdout.readline()
    until(lambda: counts(folder) == {"failed": 2})
    return serving


def ended(serving: "subprocess.Popen[str]") -> str:
    """Wait for a server to end by itself; its worker has ended, too."""
    (worker,) = [pid for pid in children(serving.pid) if "ina_worker" in cmdline(pid)]
    code, out, errors = run(serving)
    assert code == 1
    assert "Traceback" not in out + errors
    assert not is_alive(worker)
    return errors


def test_a_state_folder_that_is_removed_ends_the_server_in_order(folder: Path) -> None:
    serving = serving_with_a_worker(folder)
    path = ledger_of(folder)
    shutil.rmtree(folder / "state")
    assert f"ina_server: {path} was removed or replaced while in use" in ended(serving)


def test_a_ledger_that_is_damaged_ends_the_server_in_order(folder: Path) -> None:
    serving = serving_with_a_worker(folder)
    path = ledger_of(folder)
    for file in (path, Path(f"{path}-wal")):
        with file.open("r+b") as stream:
            stream.write(b"\xff" * file.stat().st_size)
    errors = ended(serving)
    assert f"ina_server: {path} is damaged" in errors
    assert "start the server again" in errors


def test_the_only_job_cancelled_is_not_everything_done(folder: Path) -> None:
    serving = server(folder)
    assert serving.stdout is not None
    serving.stdout.readline()
    code, out, _ = run(shell("$P -m jobs cancel jobs.csv --all", folder))
    assert (code, out) == (0, "2 jobs are cancelled\n")
    code, out, errors = run(serving)
    assert code == 1
    assert "2 jobs were cancelled by the operator, and are not done" in errors
    # Rows that are no longer listed are not missed.
    (folder / "jobs.csv").write_text("source_path,dest_csv\nnone.mp4,out/none.csv\n")
    code, _, errors = run(server(folder))
    assert code == 1
    assert "1 jobs were cancelled by the operator" in errors


def test_a_server_kept_alive_starts_a_worker_for_what_verify_brings_back(folder: Path) -> None:
    run(shell("$S", folder))
    path = ledger_of(folder)
    file = '{"part": "p", "path": "/none.csv", "sha256": "0", "size": 0}'
    with closing(schema.connect(path)) as db:
        db.execute(
            "UPDATE job SET state = 'done', err = NULL, err_kind = NULL, manifest = ?",
            (
                f'{{"files": {{"csv": {file.replace("/none.csv", str(folder / "x.csv"))}}},'
                ' "statistics": {}}',
            ),
        )
    (folder / "x.csv").touch()
    serving = server(folder, "--keep_alive", "--workers", "1")
    assert serving.stdout is not None
    serving.stdout.readline()
    until(lambda: counts(folder) == {"skipped": 2})
    assert not any("ina_worker" in cmdline(pid) for pid in children(serving.pid))
    (folder / "x.csv").unlink()
    code, out, _ = run(shell("$P -m jobs verify jobs.csv", folder))
    assert code == 1
    assert "2 jobs are to be done again: the server does them" in out
    until(lambda: counts(folder) == {"failed": 2})
    serving.send_signal(signal.SIGTERM)
    assert run(serving)[0] == 1


def test_a_relative_joblist_in_another_folder_is_refused(folder: Path) -> None:
    run(
        command(
            str(ROOT / "ina_server.py"),
            "localhost",
            "jobs.csv",
            "--port",
            "0",
            "--workers",
            "1",
            cwd=folder,
        )
    )
    (folder / "other").mkdir()
    script = "cd other; $P $R localhost ../jobs.csv --port 0"
    code, out, errors = run(shell(script, folder, R=str(ROOT / "ina_server.py")))
    assert (code, out) == (2, "")
    assert f"has relative paths and was served in {folder}: start the server there" in errors
    assert counts(folder) == {"failed": 2}
