"""The token that a server makes, and who finds it."""

import os
import socket
import subprocess
import sys
from contextlib import AbstractContextManager, suppress
from pathlib import Path

import pytest

from joblist.errors import UsageError
from jobs.errors import ServerRefused
from jobs.wire import tokens
from jobs.wire.transport import Access
from jobs.worker.client import Client
from tests.support.processes import ROOT, command, run, server
from tests.support.servers import Server, serving

INFO = {"host": "elsewhere", "pid": 1, "boot_id": "b", "program": "1", "device": "cpu"}


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def guarded(folder: Path, port: int = 0) -> AbstractContextManager[Server]:
    """A server that makes a token."""
    folder.mkdir(exist_ok=True)
    return serving(folder, {"a": "", "b": ""}, makes_token=True, port=port)


def test_the_users_workers_find_it_and_nobody_else_does(tmp_path: Path) -> None:
    with guarded(tmp_path) as door:
        (file,) = tokens.folder().iterdir()
        assert file.stat().st_mode & 0o777 == 0o600
        assert file.parent.stat().st_mode & 0o777 == 0o700
        client = Client(door.uri, name="w")
        client.hello(INFO)
        assert client.claim().leases
        client.close()
        os.environ["XDG_STATE_HOME"] = str(tmp_path / "elsewhere")
        with pytest.raises(ServerRefused) as refused:
            Client(door.uri, name="x").hello(INFO)
        text = str(refused.value)
        assert f"there is none for it in {tmp_path}/elsewhere/ina/tokens" in text
        assert "give --token_file FILE" in text
        # With the file's name it is the same on any machine.
        access = Access.load(token_file=str(file), certs=None)
        Client(door.uri, name="y", access=access).hello(INFO)
    assert not file.exists()


def test_a_server_that_was_killed_keeps_its_token(tmp_path: Path) -> None:
    path, token = tokens.make("127.0.0.1", 9471)
    assert tokens.make("127.0.0.1", 9471) == (path, token)
    path.unlink()
    assert tokens.make("127.0.0.1", 9471)[1] != token


def test_a_worker_finds_the_token_of_a_server_that_was_started_again(tmp_path: Path) -> None:
    with guarded(tmp_path / "first") as door:
        port = door.port
        client = Client(door.uri, name="w")
        client.hello(INFO)
    with guarded(tmp_path / "second", port) as door:
        client.hello(INFO)
        assert [worker["name"] for worker in door.service.status()["workers"]] == ["w"]
        client.close()


def test_a_token_is_never_sent_to_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        tokens.make("127.0.0.1", port)
        assert tokens.find("localhost", port)
        assert tokens.find("127.0.0.1", port)
        assert tokens.find("127.0.0.1", port + 1) is None
        assert tokens.find("no.such.host.invalid", port) is None
        # Of a stranger, who listens where this user's server was, the kernel tells the same way.
        monkeypatch.setattr(tokens, "_listeners", lambda _port: {os.geteuid() + 1})
        with pytest.raises(UsageError, match=f"port {port} belongs to another user"):
            tokens.find("127.0.0.1", port)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to listen as another user")
def test_the_kernel_tells_who_listens(tmp_path: Path) -> None:
    code = (
        "import os, socket, sys; os.setuid(65534); s = socket.create_server(('127.0.0.1', 0));"
        "print(s.getsockname()[1], flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    port = int(process.stdout.readline())
    tokens.make("127.0.0.1", port)
    with pytest.raises(UsageError, match="uid 65534"):
        tokens.find("127.0.0.1", port)
    process.communicate("")


@pytest.mark.parametrize("fault", ["link", "mode", "short", "folder", "fifo"])
def test_a_file_that_is_not_safe_is_refused(tmp_path: Path, fault: str) -> None:
    path, token = tokens.make("127.0.0.1", 9471)
    path.unlink()
    if fault == "link":
        (tmp_path / "elsewhere").write_text(token)
        path.symlink_to(tmp_path / "elsewhere")
    elif fault == "folder":
        path.mkdir()
    elif fault == "fifo":
        os.mkfifo(path, 0o600)
    else:
        path.write_text("short\n" if fault == "short" else token)
        path.chmod(0o600 if fault == "short" else 0o644)
    with pytest.raises(UsageError, match="--no_token"):
        tokens.make("127.0.0.1", 9471)
    with pytest.raises(UsageError):
        tokens.find("127.0.0.1", 9471)


def test_what_cannot_be_written_is_told_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    with pytest.raises(UsageError, match=r"set XDG_STATE_HOME .* give --token_file FILE or --no_t"):
        tokens.make("127.0.0.1", 9471)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\nnone.mp4,out/none.csv\n")
    return tmp_path


def worker(folder: Path, uri: str, **env: str) -> tuple[int, str]:
    args = [sys.executable, str(ROOT / "ina_worker.py"), uri, "--server_timeout", "1"]
    home = {"PYTHONPATH": str(ROOT), "XDG_STATE_HOME": str(folder / "state")}
    done = subprocess.run(
        args, cwd=folder, env={**os.environ, **home, **env}, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def test_server_and_worker_of_one_user_need_nothing_typed(folder: Path) -> None:
    process = server(folder)
    assert process.stdout is not None
    uri = process.stdout.readline().strip()
    (file,) = (folder / "state" / "ina" / "tokens").iterdir()
    token = file.read_text().strip()
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # of others, which end meanwhile
            lines.append(path.read_bytes())
    assert any(b"ina_server.py" in line for line in lines)
    assert token.encode() not in b"".join(lines)
    code, text = worker(folder, uri, XDG_STATE_HOME=str(folder / "other"))
    assert (code, "give --token_file FILE" in text) == (2, True)
    assert worker(folder, uri)[0] == 0
    code, out, errors = run(process)
    assert code == 1, errors
    assert not file.exists()
    kept = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    assert token.encode() not in b"".join(kept) + (out + errors).encode()


def test_own_workers_of_a_server_find_it(folder: Path) -> None:
    code, _, errors = run(server(folder, "--workers", "1"))
    assert (code, "no such file" in errors) == (1, True)


def test_who_wants_none_has_none(folder: Path) -> None:
    process = server(folder, "--no_token")
    assert process.stdout is not None
    uri = process.stdout.readline().strip()
    assert not (folder / "state" / "ina" / "tokens").exists()
    assert worker(folder, uri, XDG_STATE_HOME=str(folder / "other"))[0] == 0
    assert run(process)[0] == 1
    (folder / "token").write_text("a token of some length\n")
    code, _, errors = run(server(folder, "--no_token", "--token_file", "token"))
    assert (code, "give one of them" in errors) == (2, True)
    script = str(ROOT / "ina_server.py")
    code, _, errors = run(command(script, "0.0.0.0", "jobs.csv", "--no_token", cwd=folder))
    assert (code, "give --token_file FILE and --certs DIR" in errors) == (2, True)


def test_a_token_file_must_be_a_small_file(tmp_path: Path) -> None:
    pipe, large = tmp_path / "pipe", tmp_path / "large"
    os.mkfifo(pipe)
    large.write_text("x" * 5000)
    for file, why in ((pipe, "not a regular file"), (large, "larger than 4096 bytes")):
        with pytest.raises(UsageError, match=why):
            Access.load(token_file=str(file), certs=None)
