"""The two commands and `python -m jobs`, as processes. None of these tests loads a model."""

import json
import os
import signal
import socket
import time
import urllib.request
from pathlib import Path

import pytest

from jobs.commands import _arguments
from tests.support.processes import ROOT, command, run, server, until


def test_a_server_loads_nothing_heavy() -> None:
    code = (
        "import sys, ina_server, jobs.server.service, jobs.ledger.imports;"
        "import jobs.server.local_workers;"
        "import jobs.inputs.joblist;"
        "print([m for m in ('numpy', 'pandas', 'torch', 'av', 'onnxruntime') if m in sys.modules])"
    )
    assert run(command("-c", code, cwd=ROOT))[1] == "[]\n"


def test_one_command_does_the_list_and_names_what_failed(folder: Path) -> None:
    code, out, errors = run(server(folder, "--workers", "2", "--max-attempts", "2"))
    assert code == 1
    assert out.startswith("PYRO:ina.jobs@localhost:")
    for name in ("none.mp4", "nothing.mp4"):
        assert f"failed: {folder / name}" in errors
        assert f"{folder / name}: no such file" in errors
    for word in ("elapsed", "media", "frames", "faces", "persons", "speed"):
        assert f"\n{word}" in out
    ledgers = list((folder / "state").rglob("jobs-*.ledger"))
    assert len(ledgers) == 1
    code, out, _ = run(command("-m", "jobs", "status", "jobs.csv", cwd=folder))
    assert code == 0
    assert "failed" in out
    assert "no such file" in out
    code, out, _ = run(command("-m", "ina", "jobs", "status", "jobs.csv", "--json", cwd=folder))
    status = json.loads(out)
    assert (code, status["counts"], status["total"]) == (0, {"failed": 2}, 2)
    (first, second) = status["bad"]
    assert first.keys() == second.keys()
    assert first["source_path"] == str(folder / "none.mp4")
    assert first["dest_csv"] == str(folder / "out" / "none.csv")
    assert (first["state"], first["error_kind"]) == ("failed", "input")
    assert "no such file" in first["error"]


def test_one_part_of_the_list_after_the_other(folder: Path) -> None:
    for rows, name in (("1:1", "none.mp4"), ("2:", "nothing.mp4")):
        code, out, errors = run(server(folder, "--workers", "1", "--rows", rows))
        assert code == 1
        assert f"failed: {folder / name}" in errors
        (jobs,) = (line for line in out.splitlines() if line.startswith("jobs "))
        assert jobs.endswith("1 failed") or jobs.endswith("1 cancelled, 1 failed")


def test_the_dashboard_of_a_running_server(folder: Path) -> None:
    serving = server(folder, "--dashboard", "0", "--keep-alive", "--speculate")
    assert serving.stdout is not None
    assert serving.stdout.readline().startswith("PYRO:")
    words = serving.stdout.readline().split()
    assert words[0] == "dashboard:"
    with urllib.request.urlopen(f"{words[1]}api/status", timeout=30) as answer:
        status = json.load(answer)
    assert (status["title"], status["total"]) == ("jobs.csv", 2)
    token = Path(words[3].rstrip(")"))
    assert token.stat().st_mode & 0o777 == 0o600
    serving.send_signal(signal.SIGINT)
    assert run(serving)[0] == 1


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("x", "is no PORT and no HOST:PORT"),
        ("99999", "is no PORT and no HOST:PORT"),
        ("0.0.0.0:0", "give --certs DIR"),
        ("no.such.host:0", "is not known here"),
    ],
)
def test_a_dashboard_that_cannot_be_is_told(folder: Path, where: str, says: str) -> None:
    code, _, errors = run(server(folder, "--dashboard", where))
    assert code == 2
    assert says in errors


def test_a_worker_joins_by_the_printed_address(folder: Path) -> None:
    serving = server(folder)
    assert serving.stdout is not None
    uri = serving.stdout.readline().strip()
    assert run(command(str(ROOT / "ina_worker.py"), uri, cwd=folder))[0] == 0
    code, out, _ = run(serving)
    assert code == 1
    assert "jobs     2 failed" in out


def test_an_interrupted_server_says_how_to_go_on(folder: Path) -> None:
    serving = server(folder, "--keep-alive")
    assert serving.stdout is not None
    assert serving.stdout.readline().startswith("PYRO:")
    serving.send_signal(signal.SIGINT)
    code, out, errors = run(serving)
    assert (code, errors) == (1, "")
    assert "run the same command again to resume" in out


def test_a_second_server_on_the_same_joblist_is_refused(folder: Path) -> None:
    first = server(folder)
    assert first.stdout is not None
    first.stdout.readline()
    code, _, errors = run(server(folder))
    first.kill()
    first.communicate()
    assert code == 2
    assert "in use by another server" in errors


def test_a_local_worker_that_dies_is_started_again(folder: Path) -> None:
    serving = server(folder, "--workers", "1", "--keep-alive")
    assert serving.stdout is not None
    serving.stdout.readline()
    logs = list((folder / "state").rglob("*.worker1.log"))
    until(lambda: worker_of(serving.pid))
    victim = worker_of(serving.pid)
    assert victim is not None
    os.kill(victim, signal.SIGKILL)
    until(lambda: worker_of(serving.pid) not in (None, victim))
    time.sleep(0.5)
    serving.send_signal(signal.SIGTERM)
    _, out, _ = run(serving)
    assert "a local worker ended (signal 9) and is started again" in out
    assert all(str(log) in out for log in logs)


def worker_of(pid: int) -> int | None:
    """The first living child of a process."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    living = [c for c in children if Path(f"/proc/{c}/cmdline").read_bytes()]
    return int(living[0]) if living else None


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["localhost", "jobs.csv", "--fps", "-1"], "fps"),
        (
            ["localhost", "jobs.csv", "--anonymise", "named"],
            "line 2: --anonymise named: only a gal",
        ),
        (
            ["localhost", "jobs.csv", "--anonymise", "all", "--fps", "5", "--min_area", "1"],
            "min_area",
        ),
        (["localhost", "jobs.csv", "--workers", "many"], "--workers"),
        (["localhost", "jobs.csv", "--lease", "0"], "--lease"),
        (["localhost", "missing.csv"], "missing.csv"),
        (["localhost", "bad.csv"], "bad.csv:2: 3 cells under 2 columns"),
        (["0.0.0.0", "jobs.csv"], "give --token_file FILE and --certs DIR"),
        (["no.such.host.invalid", "jobs.csv"], "is not known here"),
        (["localhost", "jobs.csv", "--ledger", "jobs.csv"], "is not a ledger"),
        (["localhost", "jobs.csv", "--rows", "5"], "write A:B, such as 1:100"),
        (["localhost", "jobs.csv", "--rows", "2:3"], "give rows from 1 to 2"),
    ],
)
def test_bad_usage_is_told_and_ends_with_2(folder: Path, args: list[str], says: str) -> None:
    (folder / "bad.csv").write_text("source_path,dest_csv\na,b,c\n")
    code, out, errors = run(command(str(ROOT / "ina_server.py"), *args, cwd=folder))
    assert (code, out) == (2, "")
    assert says in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(("cores", "workers"), [(1, 1), (2, 1), (7, 1), (8, 2), (64, 16)])
def test_workers_suit_the_machine(monkeypatch, cores: int, workers: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
    assert _arguments.workers("auto") == workers
    assert _arguments.workers("3") == 3


def test_a_busy_port_ends_with_2(folder: Path) -> None:
    with socket.create_server(("localhost", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, _, errors = run(
            command(
                str(ROOT / "ina_server.py"), "localhost", "jobs.csv", "--port", port, cwd=folder
            )
        )
    assert code == 2
    assert "Give another --port P" in errors


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["nonsense"], 2, "is not the address of a server"),
        (["PYRO:ina.jobs@localhost:1", "--server-timeout", "0.2"], 1, "is the server running?"),
        (["PYRO:ina.jobs@localhost:1", "--token-file", "none"], 2, "token file none"),
    ],
)
def test_a_worker_without_a_server(folder: Path, args: list[str], code: int, says: str) -> None:
    exit_code, _, errors = run(command(str(ROOT / "ina_worker.py"), *args, cwd=folder))
    assert exit_code == code
    assert says in errors
    assert "Traceback" not in errors


def test_status_of_an_unknown_joblist(folder: Path) -> None:
    code, _, errors = run(command("-m", "jobs", "status", "jobs.csv", cwd=folder))
    assert code == 2
    assert "was this joblist served on this machine?" in errors
