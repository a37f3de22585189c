"""How programs end: signals, outputs that nobody reads, values and files that cannot be."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import analyzer
from analyzer.weights import locate
from jobs.ledger import schema
from tests.support.cluster import cluster
from tests.support.processes import ROOT, children, command, run, server, until

NOTE = "nobody reads the output any more: the rest is not printed, and the work goes on"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.csv").write_text(
        "source_path,dest_csv\nnone.mp4,out/none.csv\nnothing.mp4,out/nothing.csv\n"
    )
    return tmp_path


def shell(script: str, cwd: Path, **env: str) -> "subprocess.Popen[str]":
    """Run a script of bash in which `$S` starts a server that does the list, `$P` Python."""
    values = {
        "PYTHONPATH": str(ROOT),
        "XDG_STATE_HOME": str(cwd / "state"),
        "P": sys.executable,
        "S": f"{sys.executable} {ROOT / 'ina_server.py'} localhost jobs.csv --port 0 --workers 1",
    }
    return subprocess.Popen(
        ["bash", "-c", script],
        cwd=cwd,
        env={**os.environ, **values, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
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
        assert worker.wait(20) == 0
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
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
        )
        os.close(terminal)
        target.work()
        until(lambda: os.read(master, 4096) and target.counts().get("leased") == 1)
        os.close(master)
        assert serving.wait(30) == 1
        assert target.counts() == {"done": 1, "ready": 1}


def test_a_hangup_lets_a_worker_finish_its_job(tmp_path: Path) -> None:
    with cluster(tmp_path, {"a": "sleep 1.5", "b": ""}) as target:
        target.serve()
        worker = target.work()
        until(lambda: target.counts().get("leased") == 1)
        worker.send_signal(signal.SIGHUP)
        worker.send_signal(signal.SIGHUP)
        assert worker.wait(20) == 0
        assert target.counts() == {"done": 1, "ready": 1}


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
    until(lambda: list(state.rglob("*.ledger")) and counts(folder) == {"failed": 2}, within_s=40)
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
    with cluster(tmp_path, {"a": "sleep 2" if is_back else "sleep 60", "b": "sleep 60"}) as target:
        serving = target.serve()
        until(lambda: target.counts() == {"ready": 2})
        values = {"uri": target.uri, "program": analyzer.__version__, "models": locate.hashes()}
        settings = json.dumps(values if is_back else {**values, "grace_s": 1.0})
        launcher = command("-c", LAUNCHER, settings, cwd=tmp_path)
        assert launcher.stdout is not None
        worker = int(launcher.stdout.readline())
        until(lambda: target.counts() == {"leased": 1, "ready": 1})
        serving.kill()
        serving.wait()
        launcher.kill()
        if is_back:
            target.serve()
        until(lambda: not is_alive(worker), within_s=25)
        launcher.communicate()
        assert target.counts() == {"done" if is_back else "leased": 1, "ready": 1}


def cmdline(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def ledger_of(folder: Path) -> Path:
    (path,) = (folder / "state").rglob("*.ledger")
    return path


def counts(folder: Path) -> dict[str, int]:
    try:
        with closing(schema.connect(ledger_of(folder), readonly=True)) as db:
            return dict(db.execute("SELECT state, n FROM counter WHERE n > 0"))
    except sqlite3.OperationalError:
        return {}


def test_a_server_of_which_nobody_reads_the_output_does_the_list(folder: Path) -> None:
    serving = shell("set -o pipefail; $S | head -1", folder)
    code, out, errors = run(serving)
    assert code == 1
    assert out.startswith("PYRO:")
    assert out.count("\n") == 1
    assert NOTE in errors
    assert f"failed: {folder / 'none.mp4'}" in errors
    assert "Traceback" not in errors
    assert counts(folder) == {"failed": 2}


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_server_with_closed_outputs_does_the_list(folder: Path, closed: str) -> None:
    code, out, errors = run(shell(f"$S {closed}", folder))
    assert code == 1
    assert "Traceback" not in out + errors
    assert counts(folder) == {"failed": 2}
    # Nothing was printed into the file that took the number of the output.
    with closing(schema.connect(ledger_of(folder), readonly=True)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_worker_of_which_nobody_reads_the_errors_does_the_list(folder: Path) -> None:
    serving = server(folder)
    assert serving.stdout is not None
    uri = serving.stdout.readline().strip()
    worker = shell(
        f"$P {ROOT / 'ina_worker.py'} {uri} 2>&1 | true; exit ${{PIPESTATUS[0]}}", folder
    )
    assert run(worker)[0] == 0
    assert "2 failed" in run(serving)[1]


@pytest.mark.parametrize(
    "words",
    [
        "-m jobs --help",
        "-m analyzer --help",
        "-m ina --help",
        "-m ina serve --help",
        "-m ina --version",
    ]
    + [f"{ROOT / name}.py --help" for name in ("ina_server", "ina_worker")],
)
def test_a_help_page_that_nobody_reads_ends_quietly(folder: Path, words: str) -> None:
    read = shell(f"$P {words} | true; exit ${{PIPESTATUS[0]}}", folder)
    assert run(read)[1:] == ("", "")
    assert read.returncode in (0, 141)
    closed = shell(f"$P {words} >&-", folder)
    assert run(closed) == (0, "", "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
@pytest.mark.parametrize("words", ["-m jobs status jobs.csv", "-m analyzer models list --json"])
def test_a_full_disk_under_the_output_is_told(folder: Path, words: str) -> None:
    assert run(shell("$S", folder))[0] == 1
    code, _, errors = run(shell(f"$P {words} > /dev/full", folder))
    assert code == 1
    assert errors == "error: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_names_that_the_output_has_no_letters_for(folder: Path, encoding: str) -> None:
    (folder / "jobs.csv").write_text("source_path,dest_csv\nő.mp4,out/ő.csv\n")
    code, out, errors = run(shell("$S", folder, PYTHONIOENCODING=encoding))
    assert code == 1
    assert f"failed: {folder}/\\u0151.mp4" in out + errors
    assert "Traceback" not in out + errors
    code, out, errors = run(shell("$P -m jobs status jobs.csv", folder, PYTHONIOENCODING=encoding))
    assert (code, errors) == (0, "")
    assert "\\u0151.mp4" in out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("--port 99999", "--port: '99999': give a whole number from 0 to 65535"),
        ("--port=-1", "--port: '-1': give a whole number from 0 to 65535"),
        ("--lease 1e300", "--lease: '1e300': give a number from 1 to 86400"),
        ("--lease nan", "--lease: 'nan': give a number from 1 to 86400"),
        ("--workers 1000000", "--workers: '1000000': give a whole number from 0 to 240"),
        ("--max_attempts 0", "give a whole number from 1 to"),
        ("--shard_minutes inf", "give a number from 0 to"),
        ("--identity_threshold nan", "give a number from 0 to"),
        ("--max_download_gb 1e9", "give a whole number from 1 to"),
        ("--dashboard 99999999999999999999", "is no PORT and no HOST:PORT"),
        ("--ledger .", ". is a folder: name a file in it with --ledger FILE"),
        ("--ledger /dev/null/a/b", "/dev/null/a/b: no ledger can be kept there"),
        ("--ledger /proc/none/b", "/proc/none/b: no ledger can be kept there"),
    ],
)
def test_values_of_a_server_that_cannot_be(folder: Path, options: str, says: str) -> None:
    code, out, errors = run(shell(f"$S {options}", folder))
    assert (code, out) == (2, "")
    assert says in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    "options",
    [
        "--threads=-1",
        "--batch_size 0",
        "--server_timeout nan",
        "--server_timeout=-5",
        "--threads 1e3",
    ],
)
def test_values_of_a_worker_that_cannot_be(folder: Path, options: str) -> None:
    words = f"{ROOT / 'ina_worker.py'} PYRO:ina.jobs@localhost:1 {options}"
    code, _, errors = run(shell(f"$P {words}", folder))
    assert code == 2
    assert "number from" in errors
    assert "Traceback" not in errors


def test_a_home_that_cannot_be_written(folder: Path) -> None:
    code, out, errors = run(shell("unset XDG_STATE_HOME; $S", folder, HOME="/dev/null"))
    assert (code, out) == (2, "")
    assert "no ledger can be kept there (Not a directory): give a file on a local disk" in errors
    assert "Traceback" not in errors


def test_a_folder_is_no_ledger_to_a_command_either(folder: Path) -> None:
    code, _, errors = run(shell("$P -m jobs status --ledger .", folder))
    assert (code, errors) == (2, "jobs: . is a folder: give the file of a ledger in it\n")


def serving_with_a_worker(folder: Path) -> "subprocess.Popen[str]":
    serving = server(folder, "--keep_alive", "--workers", "1")
    assert serving.stdout is not None
    serving.stdout.readline()
    until(lambda: counts(folder) == {"failed": 2}, within_s=40)
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
    until(lambda: counts(folder) == {"failed": 2}, within_s=40)
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
