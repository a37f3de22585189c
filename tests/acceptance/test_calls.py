"""A fuzz of all verbs while a cluster works: nobody else notices."""

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from jobs.errors import CallRefused
from jobs.server.operator import OBJECT_ID, Door
from jobs.wire.calls import OPERATOR_VERBS, WORKER_VERBS, require_call
from jobs.wire.transport import CommunicationError, Proxy
from jobs.worker.client import Client
from tests.support.cluster import Cluster, cluster
from tests.support.jobs import arguments
from tests.support.processes import until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(400)]
CALLS = 20_000
CONNECTIONS = 16
OPERATORS = 4
"""Connections among these that go to the operator's socket."""
JOBS = 200
WORKERS = 3
FUZZ_S = 200.0
MAX_BYTES = 150 << 20
BATCH = 20
Call = tuple[str, list[Any]]


def drawn(verbs: list[str], count: int) -> list[Call]:
    """Draw calls; those of an operator that fit are left out, for he may end the server."""
    calls: list[Call] = []
    call = st.sampled_from(verbs).flatmap(lambda verb: st.tuples(st.just(verb), arguments(verb)))

    @seed(18)
    @settings(
        max_examples=3 * count // (2 * BATCH),
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(call, min_size=BATCH, max_size=BATCH))
    def collect(batch: list[Call]) -> None:
        if len(calls) < count:
            calls.extend(call for call in batch if call[0] in WORKER_VERBS or not fits(*call))

    collect()
    assert len(calls) >= count
    return calls[:count]


def fits(verb: str, args: list[Any]) -> bool:
    try:
        require_call(verb, args)
    except CallRefused:
        return False
    return True


class Peer:
    """A connection that says anything."""

    def __init__(self, calls: list[Call], proxy: Any) -> None:
        self._calls, self._proxy = calls, proxy

    def run(self, deadline: float) -> "Counter[str]":
        """Say all calls, in this thread; return the number of each kind of answer."""
        self._proxy._pyroClaimOwnership()
        self._proxy._pyroTimeout = 20
        with self._proxy:
            return Counter(
                self._say(verb, args) for verb, args in self._calls if time.monotonic() < deadline
            )

    def _say(self, verb: str, args: list[Any]) -> str:
        try:
            self._proxy._pyroInvoke(verb, args, {})
        except (ValueError, CommunicationError) as error:
            # Refused, or not even sent: not every JSON value has a form on the wire.
            return type(error).__name__
        except Exception as error:
            return f"{verb}{args!r:.200}: {error!r:.200}"
        return "answered"


def peers(target: Cluster, stack: ExitStack) -> list[Peer]:
    """Return the connections, each with its calls."""
    share = CALLS // CONNECTIONS
    workers = CONNECTIONS - OPERATORS
    door = stack.enter_context(closing(Door(target.ledger)))
    said = drawn(sorted(WORKER_VERBS), share * workers)
    steered = drawn(sorted(set(OPERATOR_VERBS) - {"drain"}), share * OPERATORS)
    proxies = [greeting(Client(target.uri, name=f"peer{n}")) for n in range(workers)]
    proxies += [Proxy(f"PYRO:{OBJECT_ID}@./u:{door._address}") for _ in range(OPERATORS)]
    calls = said + steered
    return [Peer(calls[n * share : (n + 1) * share], proxy) for n, proxy in enumerate(proxies)]


def greeting(client: Client) -> Any:
    """Return the connection of a worker, which shows the token."""
    proxy = client._proxy
    proxy._pyroHandshake = {"token": client._found_token()}
    assert proxy._pyroHandshake["token"]
    return proxy


def watch_memory(pid: int, ended: threading.Event) -> int:
    """Return the most bytes that a process had until an event."""
    most = 0
    while not ended.wait(0.2):
        most = max(most, psutil.Process(pid).memory_info().rss)
    return most


def test_a_fuzz_of_all_verbs_beside_a_working_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    media = {f"m{n}": "sleep 0.2" for n in range(JOBS)}
    options = ("--lease", "6", "--keep_alive")
    with cluster(tmp_path, media, options=options) as target, ExitStack() as stack:
        server = target.serve()
        until(lambda: target.counts() == {"ready": JOBS}, within_s=60)
        until(lambda: list(tmp_path.glob("*.sock")))
        found = peers(target, stack)
        for _ in range(WORKERS):
            target.work()
        ended, started = threading.Event(), time.monotonic()
        with ThreadPoolExecutor(CONNECTIONS + 1) as pool:
            memory = pool.submit(watch_memory, server.pid, ended)
            runs = pool.map(lambda peer: peer.run(started + FUZZ_S), found)
            answers = sum(runs, Counter[str]())
            seconds = time.monotonic() - started
            done_meanwhile = target.counts().get("done", 0)
            until(lambda: target.counts() == {"done": JOBS}, within_s=120)
            ended.set()
        print(f"{answers} in {seconds:.0f} s, {done_meanwhile} jobs done meanwhile")
        print(f"the server's memory: {memory.result() / 2**20:.0f} MB")
        assert answers.total() == CALLS
        assert set(answers) <= {"answered", "ValueError", "CommunicationError", "SerializeError"}
        assert answers["ValueError"] > CALLS / 4
        assert answers["answered"] > CALLS / 100
        assert memory.result() < MAX_BYTES
        target.assert_nothing_lost(done=JOBS)
        assert target.events("lost") == target.events("expired") == target.events("failed") == 0
        assert target.jobs("drain").returncode == 0
        assert target.finish() == 0
        target.options = ()
        target.serve()
        assert target.finish() == 0, "all is done, and the ledger opens"
        log = (tmp_path / "log").read_text()
        assert "Traceback" not in log
        assert "met a fault" not in log
