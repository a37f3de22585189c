"""Peers before they are admitted: what they make the server do, and who is kept out by them."""

import json
import marshal
import os
import socket
import ssl
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from ina_web import gate
from jobs.wire import connection
from jobs.wire.codec import Codec
from jobs.wire.transport import Access, PyroError
from jobs.worker.client import Client
from tests.support.processes import until
from tests.support.servers import Server, serving

INFO = {"host": "elsewhere", "pid": 1, "boot_id": "b", "program": "1", "device": "cpu"}
TOKEN = "a token of some length"
SERPENT, MARSHAL, JSON = 1, 2, 3
CONNECT, INVOKE = 1, 4
GREETING = {"handshake": {"token": TOKEN}, "object": "ina.jobs"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, {"a": "", "b": ""}, access=Access(token=TOKEN)) as running:
        yield running


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("localhost", server.port), timeout=15)


def message(
    payload: bytes,
    *,
    kind: int = CONNECT,
    serializer: int = JSON,
    size: int | None = None,
    flags: int = 0,
) -> bytes:
    """A message in Pyro5's wire format, as a stranger may make it."""
    size = len(payload) if size is None else size
    head = struct.pack("!4sHBBHHII", b"PYRO", 502, kind, serializer, flags, 0, size, 0)
    return head + b"\0" * 18 + struct.pack("!H", 0x4DC5) + payload


def heard(stranger: socket.socket) -> bytes:
    """All that a stranger is told, until it is disconnected."""
    pieces = []
    while piece := stranger.recv(4096):
        pieces.append(piece)
    return b"".join(pieces)


def drip(peer: socket.socket, data: bytes) -> None:
    """Send a byte now and then."""
    for byte in data:
        peer.send(bytes([byte]))
        time.sleep(0.1)


def admitted(server: Server) -> Client:
    client = Client(server.uri, name="w", access=Access(token=TOKEN), patience_s=lambda: 5.0)
    client.hello(INFO)
    return client


LARGE = b"[" + b"[]," * 300_000 + b"[]]"


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (message(LARGE, serializer=SERPENT), b"only JSON"),
        (message(marshal.dumps([GREETING] * 9), serializer=MARSHAL), b"only JSON"),
        (message(b"", serializer=42), b"only JSON"),
        (message(LARGE), b"too large"),
        (message(b"x" * 1000, size=900 << 20), b"too large"),
        (message(b"x" * 5000), b"too large (5000 bytes, 4096 at most)"),
        (message(zlib.compress(bytes(200 << 20)), flags=2), b"compressed"),
        (message(b"{}", flags=1 << 5), b"not accepted"),
        (message(b"{}", kind=INVOKE), b"out of place"),
        (message(b"{}", kind=6), b"out of place"),
        (message(b"[" * 4000), b"not the greeting of a worker"),
        (message(b"null"), b"not the greeting of a worker"),
        (message(b'{"handshake": {"token": 1}, "object": []}'), b"wrong token"),
        (message(b'{"handshake": {"token": "\\ud800"}, "object": 1}'), b"wrong token"),
        (message(json.dumps({**GREETING, "object": []}).encode()), b"unknown object"),
        (message(json.dumps({**GREETING, "object": "x"}).encode()), b"unknown object"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + b"x" * 40, b""),
    ],
)
def test_what_is_no_greeting_is_refused_and_costs_nothing(
    server: Server, data: bytes, answer: bytes
) -> None:
    before = psutil.Process().memory_info().rss
    with connect(server) as stranger:
        stranger.sendall(data)
        assert answer in heard(stranger)
    assert psutil.Process().memory_info().rss - before < 8 << 20
    admitted(server).close()


def test_an_admitted_peer_is_bound_by_the_same_form(server: Server) -> None:
    call = {"object": "ina.jobs", "method": "status", "params": [], "kwargs": {}}
    for sent in (
        message(b"x", kind=INVOKE, serializer=SERPENT),
        message(marshal.dumps(1), kind=INVOKE, serializer=MARSHAL),
        message(b"x" * 10, kind=INVOKE, size=2 << 20),
        message(b"x" * 10, kind=INVOKE, flags=4),
        message(b"x", kind=CONNECT),
    ):
        with connect(server) as peer:
            peer.sendall(message(json.dumps(GREETING).encode()))
            assert b"welcome" in peer.recv(4096)
            peer.sendall(message(json.dumps(call).encode(), kind=INVOKE))
            assert b"counts" in peer.recv(4096)
            peer.sendall(sent)
            assert heard(peer) == b""


def test_values_that_call_themselves_classes_stay_values() -> None:
    """A proxy that a peer makes the server hold would connect wherever the peer likes."""
    evil = {"__class__": "Pyro5.client.Proxy", "state": ["PYRO:x@localhost:1", *[[]] * 5]}
    call = {"object": "o", "method": "m", "params": [evil], "kwargs": {"k": evil}}
    assert Codec().loadsCall(json.dumps(call).encode()) == ("o", "m", [evil], {"k": evil})
    assert Codec().loads(json.dumps([evil]).encode()) == [evil]
    for name in ("builtins.SystemExit", "builtins.KeyboardInterrupt", "subprocess.Popen", "x"):
        error = {"__class__": name, "__exception__": True, "args": [1], "attributes": {}}
        with pytest.raises(PyroError):
            Codec().loads(json.dumps(error).encode())


def test_a_greeting_that_drips_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = gate.GateLimits(request_s=0.6)
    monkeypatch.setattr(server.server._daemon._gate, "_limits", limits)
    started = time.monotonic()
    with connect(server) as stranger, pytest.raises(OSError):  # noqa: PT011
        drip(stranger, message(json.dumps(GREETING).encode()))
    assert 0.5 < time.monotonic() - started < 3


def test_a_request_that_drips_is_cut_off(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "REQUEST_S", 0.6)
    with connect(server) as peer:
        peer.sendall(message(json.dumps(GREETING).encode()))
        assert b"welcome" in peer.recv(4096)
        # Silence between requests is no fault.
        time.sleep(1.0)
        started = time.monotonic()
        with pytest.raises(OSError):  # noqa: PT011
            drip(peer, message(b"x" * 100, kind=INVOKE))
        assert 0.5 < time.monotonic() - started < 3


def test_an_answer_that_nobody_takes_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "REQUEST_S", 0.6)
    call = {"object": "ina.jobs", "method": "status", "params": [], "kwargs": {}}
    request = message(json.dumps(call).encode(), kind=INVOKE)
    with connect(server) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(message(json.dumps(GREETING).encode()))
        peer.settimeout(10)
        with pytest.raises(OSError):  # noqa: PT011
            peer.sendall(request * 100_000)


def test_silent_peers_never_keep_a_worker_out(server: Server) -> None:
    with ExitStack() as stack:
        old = admitted(server)
        silent = [stack.enter_context(connect(server)) for _ in range(300)]
        started = time.monotonic()
        new = admitted(server)
        assert time.monotonic() - started < 1
        # The oldest silent ones have gone, and no admitted one.
        silent[0].settimeout(5)
        assert silent[0].recv(1) == b""
        assert old.claim().leases
        for client in (old, new):
            client.close()


def test_one_address_may_not_have_all_places(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.wire.daemon.MAX_OF_ONE_PEER", 3)
    with ExitStack() as stack:
        clients = [admitted(server) for _ in range(3)]
        peer = stack.enter_context(connect(server))
        peer.sendall(message(json.dumps(GREETING).encode()))
        assert b"too many connections (3, 3 of 127.0.0.1)" in heard(peer)
        # Those who have a place keep it; a place is free again when one leaves.
        assert clients[0].claim().leases
        clients.pop().close()
        until(lambda: len(server.server._daemon._connections) == 2)
        clients.append(admitted(server))
        for client in clients:
            client.close()


def test_without_descriptors_nobody_is_lost_and_nothing_spins(server: Server) -> None:
    old = admitted(server)
    with ExitStack() as stack:
        stranger = stack.enter_context(socket.socket())
        silent = [stack.enter_context(connect(server)) for _ in range(20)]
        until(lambda: len(server.server._daemon._gate._callers) == 20)
        taken = []
        try:
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        except OSError:
            os.close(taken.pop())
        try:
            stranger.connect(("localhost", server.port))
            began = time.process_time()
            assert old.claim().leases
            time.sleep(0.5)
            assert time.process_time() - began < 0.4
        finally:
            for handle in taken:
                os.close(handle)
        assert silent
    old.close()
    admitted(server).close()


def test_over_tls_silent_and_dripping_peers_keep_nobody_out(tmp_path: Path) -> None:
    certificates = pytest.importorskip("jobs.wire.certificates")
    certificates.make(tmp_path / "certs", hosts=["localhost", "127.0.0.1"])
    access = Access(token=TOKEN, certs=tmp_path / "certs")
    with serving(tmp_path, {"a": ""}, access=access) as server, ExitStack() as stack:
        strangers = [stack.enter_context(connect(server)) for _ in range(60)]
        for stranger in strangers[:30]:
            stranger.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        strangers[-1].sendall(message(json.dumps(GREETING).encode()))
        started = time.monotonic()
        client = Client(server.uri, name="w", access=access, patience_s=lambda: 5.0)
        client.hello(INFO)
        assert client.claim().leases
        assert time.monotonic() - started < 3
        client.close()
        # Without a certificate of the authority, nobody gets as far as the token.
        context = ssl.create_default_context(cafile=str(tmp_path / "certs" / "ca.pem"))
        with pytest.raises(OSError), connect(server) as raw:  # noqa: PT011, PT012, SIM117
            with context.wrap_socket(raw, server_hostname="localhost") as stranger:
                stranger.sendall(message(json.dumps(GREETING).encode()))
                assert b"welcome" not in stranger.recv(4096)
                raise ConnectionResetError


def test_addresses_of_one_owner_are_one_peer() -> None:
    assert gate.peer_of(("192.0.2.7", 1)) == "192.0.2.7"
    assert gate.peer_of(("2001:db8::1", 1, 0, 0)) == gate.peer_of(("2001:db8::ffff", 2, 0, 0))
    assert gate.peer_of(("2001:db8::1", 1, 0, 0)) != gate.peer_of(("2001:db8:0:1::1", 1, 0, 0))
    assert gate.peer_of(("fe80::1%eth0", 1, 0, 2)) == "fe80::/64"
    assert gate.peer_of("") == ""
