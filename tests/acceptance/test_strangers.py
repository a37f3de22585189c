"""A server and its page among strangers: 1,000 are silent and 200 drip, at each of both ports."""

import contextlib
import http.client
import json
import resource
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import pytest

from jobs.types import OBJECT_ID
from jobs.worker.client import Client
from tests.support.processes import free_port, kill, server

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]
SILENT, DRIPPING = 1000, 200
SECONDS = 15.0
INFO = {"host": "elsewhere", "pid": 1, "boot_id": "b", "device": "cpu"}
GREETING = b"PYRO\x01\xf6\x00\x01\x03" + bytes(31)
REQUEST = b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n" + b"a: b\r\n" * 1000


@pytest.fixture(autouse=True)
def _descriptors() -> Iterator[None]:
    """Room for the strangers' sockets in this process."""
    needed = 2 * (SILENT + DRIPPING) + 300
    before = soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"needs {needed} open files, {hard} are allowed: ulimit -n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


@contextmanager
def besieged(port: int, text: bytes) -> Iterator[None]:
    """Let strangers connect, and come again when they are disconnected."""
    over = threading.Event()
    with ExitStack() as stack:
        silent = [stack.enter_context(connect(port)) for _ in range(SILENT)]

        def drip() -> None:
            peers: list[socket.socket | None] = [None] * DRIPPING
            for n in range(10**6):
                for number, peer in enumerate(peers):
                    try:
                        if peer is None:
                            peers[number] = peer = stack.enter_context(connect(port))
                        peer.send(text[n % len(text) :][:1])
                    except OSError:
                        peers[number] = None
                        if peer:
                            peer.close()
                if over.wait(0.5):
                    return

        thread = threading.Thread(target=drip)
        thread.start()
        stack.callback(thread.join)
        stack.callback(over.set)
        assert silent
        yield


def test_a_worker_and_the_page_are_served_among_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "jobs.csv").write_text("source_path,dest_csv\nnone.mp4,out/none.csv\n")
    page = free_port()
    process = server(tmp_path, "--dashboard", str(page), "--keep_alive", "--allow_mixed")
    try:
        assert process.stdout is not None
        uri = process.stdout.readline().strip()
        port = int(uri.removeprefix(f"PYRO:{OBJECT_ID}@localhost:"))
        first = Client(uri, name="first")
        first.hello(INFO)
        (lease,) = first.claim().leases
        greeted, answered, memory = [], [], []
        with besieged(port, GREETING), besieged(page, REQUEST):
            deadline = time.monotonic() + SECONDS
            while time.monotonic() < deadline:
                greeted.append(time_of_hello(uri, len(greeted)))
                answered.append(time_of_answer(page))
                memory.append(psutil.Process(process.pid).memory_info().rss / 2**20)
                # Who was there before goes on.
                assert first.beat(lease, {"fraction": 0.5}, timeout_s=5)
        print(f"{len(greeted)} times: hello {max(greeted):.2f} s, page {max(answered):.2f} s,")
        print(f"{max(memory):.0f} MB (at most each)")
        assert max(greeted) < 5
        assert max(answered) < 1
        assert max(memory) < 200
        first.close()
    finally:
        kill(process)
        with contextlib.suppress(ValueError):
            _, errors = process.communicate()
            assert "Traceback" not in errors


def time_of_hello(uri: str, number: int) -> float:
    """How long a new worker waits for its welcome, in seconds."""
    started = time.monotonic()
    client = Client(uri, name=f"w{number}", patience_s=lambda: 5.0)
    client.hello(INFO)
    taken = time.monotonic() - started
    client.bye()
    client.close()
    return taken


def time_of_answer(port: int) -> float:
    """How long somebody waits for the page's figures, in seconds."""
    started = time.monotonic()
    peer = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    peer.request("GET", "/api/status")
    assert json.loads(peer.getresponse().read())["total"] == 1
    peer.close()
    return time.monotonic() - started
