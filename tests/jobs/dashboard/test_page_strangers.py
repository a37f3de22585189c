"""Clients of the page that are slow, silent or many, and what is no request."""

import http.client
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from ina_web.gate import GateLimits
from jobs.dashboard.page import Dashboard
from tests.support.servers import opened, serving

GET = b"GET /api/status HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Dashboard]:
    with serving(tmp_path, {"a": "", "b": ""}) as running:
        shown = opened(running)
        yield shown
        shown.close()


def port_of(page: Dashboard) -> int:
    return int(page.url.rpartition(":")[2].strip("/"))


def connect(page: Dashboard) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(page)), timeout=10)


def drip(peer: socket.socket, data: bytes) -> None:
    """Send a byte now and then."""
    for byte in data:
        peer.send(bytes([byte]))
        time.sleep(0.1)


def status(page: Dashboard) -> Any:
    peer = http.client.HTTPConnection("127.0.0.1", port_of(page), timeout=10)
    try:
        peer.request("GET", "/api/status")
        return json.loads(peer.getresponse().read())
    finally:
        peer.close()


def hurry(page: Dashboard, monkeypatch: pytest.MonkeyPatch, **limits: Any) -> None:
    monkeypatch.setattr(page._server._gate, "_limits", GateLimits(**limits))


def test_200_that_drip_keep_nobody_waiting(page: Dashboard) -> None:
    with ExitStack() as stack:
        for _ in range(200):
            stranger = stack.enter_context(connect(page))
            stranger.sendall(b"GET / HT")
        started = time.monotonic()
        assert status(page)["total"] == 2
        assert time.monotonic() - started < 1


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 100,
        b"POST /api/retry HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" + b"x" * 100,
    ],
)
def test_a_request_that_drips_is_cut_off(
    page: Dashboard, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    hurry(page, monkeypatch, request_s=0.6)
    started = time.monotonic()
    with connect(page) as stranger, pytest.raises(OSError):  # noqa: PT011
        drip(stranger, sent)
    assert 0.5 < time.monotonic() - started < 3


def test_a_connection_serves_many_requests_and_then_ends(
    page: Dashboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(page, monkeypatch, idle_s=0.6)
    peer = http.client.HTTPConnection("127.0.0.1", port_of(page), timeout=10)
    peer.connect()
    first = peer.sock
    for _ in range(5):
        peer.request("GET", "/api/status")
        assert json.loads(peer.getresponse().read())["total"] == 2
    assert peer.sock is first
    first.settimeout(5)
    assert first.recv(1) == b""
    peer.close()


def test_requests_that_come_together_are_all_answered(page: Dashboard) -> None:
    with connect(page) as peer:
        peer.sendall(GET * 3 + b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
        text = b""
        while piece := peer.recv(1 << 16):
            text += piece
    assert text.count(b"HTTP/1.1 200 OK") == 4


@pytest.mark.parametrize(
    "sent", [b"GET / HTTP/1.1\r\nx: " + b"y" * (1 << 17), b"\x16\x03\x01" + bytes(100)]
)
def test_what_is_no_request_is_refused(page: Dashboard, sent: bytes) -> None:
    with connect(page) as peer:
        peer.sendall(sent)
        assert peer.recv(4096).startswith(b"HTTP/1.1 400 ")
        assert peer.recv(4096) == b""
    assert status(page)["total"] == 2


def test_an_answer_that_nobody_takes_ends(page: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ina_web.exchange.ANSWER_S", 0.5)
    with connect(page) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with pytest.raises(OSError):  # noqa: PT011
            peer.sendall(b"GET /page.js HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100_000)
    assert status(page)["total"] == 2
