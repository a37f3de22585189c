"""The conversation over the wire: repetition, strangers, silence."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from joblist.errors import UsageError
from jobs.errors import LedgerUnavailable, ServerRefused
from jobs.ledger import queries
from jobs.server.server import JobServer
from jobs.system.process_identity import ProcessIdentity
from jobs.types import PROTOCOL, Lease
from jobs.wire.transport import Access, Proxy, is_loopback, require_safe
from jobs.worker.client import Client
from tests.support.jobs import manifest_of
from tests.support.processes import until
from tests.support.servers import Server, serving

INFO = {"host": "elsewhere", "pid": 1, "boot_id": "b", "program": "1", "device": "cpu"}
TOKEN = "a token of some length"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path, {"a": "", "b": ""}, lease_s=1.0) as running:
        yield running


@pytest.fixture
def proxy(server: Server) -> Iterator[Any]:
    with Proxy(server.uri) as connected:
        connected._pyroTimeout = 5
        connected.hello({"name": "w", "protocol": PROTOCOL, **INFO})
        yield connected


def claim(proxy: Any, request: str = "r", worker: str = "w") -> Lease:
    (job,) = proxy.claim(worker, request, 1)["jobs"]
    return Lease.from_dict(job)


def test_everything_may_be_said_twice(server: Server, proxy: Any) -> None:
    lease = claim(proxy)
    assert claim(proxy) == lease
    files = manifest_of(lease).to_dict()
    for _ in range(2):
        assert proxy.prepare("w", lease.job, lease.token, files) == "go"
    for _ in range(2):
        assert proxy.published("w", lease.job, lease.token) == "ok"
    assert (server.counts(), server.events("done")) == ({"ready": 1, "done": 1}, 1)


def test_a_manifest_that_names_other_files_is_not_published(
    server: Server, proxy: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lease = claim(proxy)
    wrong = manifest_of(lease).to_dict()
    wrong["files"]["csv"]["path"] = str(tmp_path / "victim")
    assert proxy.prepare("w", lease.job, lease.token, wrong) == "stale"
    with pytest.raises(ValueError, match="prepare: manifest: files"):
        proxy.prepare("w", lease.job, lease.token, {"files": {}, "statistics": {}})
    assert "w may not publish job" in caplog.text
    assert server.events("publishing") == 0
    right = manifest_of(lease).to_dict()
    assert proxy.prepare("w", lease.job, lease.token, right) == "go"


def test_a_lease_carries_the_job_and_the_options(proxy: Any, server: Server) -> None:
    lease = claim(proxy)
    assert (lease.options, lease.kind, lease.attempt) == ({"fps": 5}, "run", 1)
    assert lease.dests["csv"] == str(server.csv("a"))


def test_nothing_now_all_done_and_drained_are_different_answers(server: Server, proxy: Any) -> None:
    leases = [claim(proxy, "1"), claim(proxy, "2")]
    assert 0 < proxy.claim("w", "3", 1)["wait"] < 2
    for lease in leases:
        assert proxy.fail("w", lease.job, lease.token, "input", "broken") == "ok"
    assert proxy.claim("w", "4", 1) == {"finished": True}
    server.service.draining = True
    assert proxy.claim("w", "5", 1) == {"drain": True}


def test_a_kept_alive_server_lets_workers_wait(tmp_path: Path) -> None:
    with serving(tmp_path, {}, keep_alive=True) as server, Proxy(server.uri) as proxy:
        proxy.hello({"name": "w", "protocol": PROTOCOL, **INFO})
        assert "wait" in proxy.claim("w", "r", 1)


def test_heartbeats_keep_a_lease_and_silence_loses_it(server: Server, proxy: Any) -> None:
    lease = claim(proxy)
    for _ in range(6):
        time.sleep(0.25)
        answer = proxy.beat("w", [[lease.job, lease.token, {"fraction": 0.1}]])
        assert answer == {"lost": [], "cancel": [], "drain": False}
    assert server.service.status()["workers"][0]["jobs"][0]["progress"] == {"fraction": 0.1}
    until(lambda: server.counts() == {"ready": 2}, within_s=3)
    assert proxy.beat("w", [[lease.job, lease.token, {}]])["lost"] == [lease.job]


def test_renames_that_a_lost_worker_began_go_to_the_next(server: Server, proxy: Any) -> None:
    lease = claim(proxy)
    assert proxy.prepare("w", lease.job, lease.token, manifest_of(lease).to_dict()) == "go"
    until(lambda: server.service.idle(), within_s=3)
    proxy.hello({"name": "heir", "protocol": PROTOCOL, **INFO})
    adopted = claim(proxy, "r2", "heir")
    assert (adopted.job, adopted.token, adopted.kind) == (lease.job, lease.token, "publish")
    assert adopted.manifest is not None
    assert proxy.published("heir", lease.job, lease.token) == "ok"
    assert proxy.published("w", lease.job, lease.token) == "ok"
    assert server.events("done") == 1


def test_a_parting_worker_gives_its_jobs_back(server: Server, proxy: Any) -> None:
    claim(proxy)
    assert proxy.bye("w") == "ok"
    assert server.counts() == {"ready": 2}
    assert server.job(1).lost == 0


def test_a_restarted_server_keeps_leases_but_not_those_of_the_dead(tmp_path: Path) -> None:
    own = ProcessIdentity.own()
    dead = ProcessIdentity(own.host, 2**22 + 1, own.boot_id)
    with serving(tmp_path, {"a": "", "b": ""}) as server:
        server.ledger.register("dead", dead)
        server.ledger.register("living", own)
        (lost,) = server.ledger.claim("dead", "r1", 1)
        (lease,) = server.ledger.claim("living", "r2", 1)
    with serving(tmp_path, {"a": "", "b": ""}) as server, Proxy(server.uri) as proxy:
        assert server.job(lost.id).state.value == "ready"
        assert proxy.beat("living", [[lease.id, lease.token, {}]])["lost"] == []


def test_a_full_ledger_means_later(server: Server, proxy: Any) -> None:
    lease = claim(proxy)
    db = server.store._db
    db.execute(f"PRAGMA max_page_count = {db.execute('PRAGMA page_count').fetchone()[0]}")
    for size in (4000, 400, 40, 4):
        with suppress(LedgerUnavailable):
            fill(server, "x" * size)
    text = "x" * 4000
    answers = {proxy.fail("w", lease.job, lease.token, "input", text) for _ in range(3)}
    assert answers == {"later"}
    assert "wait" in proxy.claim("w", "r" * 200, 1)
    db.execute("PRAGMA max_page_count = 1000000")
    assert proxy.fail("w", lease.job, lease.token, "input", text) == "ok"


def fill(server: Server, detail: str) -> None:
    """Write events until the ledger is full."""
    while True:
        with server.store.transaction() as db:
            db.execute("INSERT INTO event(t_wall, what, detail) VALUES(0, 'x', ?)", (detail,))


def test_silent_peers_do_not_keep_others_waiting(server: Server) -> None:
    silent = [socket.create_connection(("localhost", server.port)) for _ in range(80)]
    started = time.monotonic()
    with Proxy(server.uri) as proxy:
        proxy.status()
    assert time.monotonic() - started < 1
    for peer in silent:
        peer.close()


@pytest.mark.parametrize("method", ["finished", "tick", "_restore_leases", "timing", "__init__"])
def test_only_the_verbs_can_be_called(proxy: Any, method: str) -> None:
    with pytest.raises(AttributeError):
        proxy._pyroInvoke(method, (), {})


def test_the_environment_does_not_change_the_settings(tmp_path: Path) -> None:
    code = (
        "from jobs.wire.transport import Access, configure, Pyro5;"
        "configure(Access(), role='server'); print(Pyro5.config.MAX_MESSAGE_SIZE)"
    )
    env = {**os.environ, "PYRO_NONSENSE": "1", "PYRO_MAX_MESSAGE_SIZE": "999999999"}
    python = [os.sys.executable, "-c", code]  # type: ignore[attr-defined]
    out = subprocess.run(python, env=env, capture_output=True, text=True, check=True)
    assert out.stdout == "1048576\n"


def test_a_wrong_token_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, {"a": ""}, access=Access(token=TOKEN)) as server:
        Client(server.uri, name="w", access=Access(token=TOKEN)).hello(INFO)
        for wrong in (None, "another token of the same kind"):
            client = Client(server.uri, name="w", access=Access(token=wrong))
            with pytest.raises(ServerRefused, match="token"):
                client.hello(INFO)


def test_a_busy_port_is_told_with_the_cure(server: Server) -> None:
    with pytest.raises(UsageError, match="another --port"):
        JobServer(server.service, host="localhost", port=server.port)


def test_other_machines_are_served_with_token_and_certificates_only(tmp_path: Path) -> None:
    assert is_loopback("localhost")
    assert is_loopback("127.0.0.1")
    assert not is_loopback("0.0.0.0")
    for access in (Access(), Access(token=TOKEN), Access(certs=tmp_path)):
        with pytest.raises(UsageError, match="--token_file FILE and --certs DIR"):
            require_safe("0.0.0.0", access)
    require_safe("0.0.0.0", Access(token=TOKEN, certs=tmp_path))


def test_a_wrong_address_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not the address"):
        Client("localhost:9471", name="w")


def test_counts_are_read_without_a_server(server: Server) -> None:
    assert server.store.read(queries.counts) == {"ready": 2}
