"""Calls that nobody should make, over real sockets: refused, without an effect on anything else."""

import logging
import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joblist.errors import UsageError
from jobs.errors import CallRefused, ServerFault
from jobs.ledger import queries
from jobs.server.display import LiveDisplay, PlainDisplay
from jobs.server.estimate import Estimate
from jobs.server.operator import Door
from jobs.types import PROTOCOL, Lease
from jobs.wire.calls import OPERATOR_VERBS, WORKER_VERBS
from jobs.wire.transport import Proxy
from jobs.worker.client import Client
from tests.support.jobs import GOOD, INFO, arguments, manifest_of
from tests.support.processes import until
from tests.support.servers import Server, serving


@pytest.fixture
def server(tmp_path: Any) -> Iterator[Server]:
    with serving(tmp_path, {"a": "", "b": ""}) as running:
        yield running


@contextmanager
def greeted(server: Server) -> Iterator[Any]:
    """The connection of a worker that has said hello."""
    with Proxy(server.uri) as connected:
        connected._pyroTimeout = 5
        connected.hello({"name": "w", "protocol": PROTOCOL, **INFO})
        yield connected


@pytest.fixture
def proxy(server: Server) -> Iterator[Any]:
    with greeted(server) as connected:
        yield connected


def claim(proxy: Any) -> Lease:
    (job,) = proxy.claim("w", "r", 1)["jobs"]
    return Lease.from_dict(job)


def state_of(server: Server) -> tuple[Any, ...]:
    """What a call may change: rows, leases, known workers."""
    rows = server.store.read(lambda db: db.execute("SELECT * FROM job ORDER BY id").fetchall())
    events = server.store.read(lambda db: db.execute("SELECT COUNT(*) FROM event").fetchone())
    workers = server.store.read(lambda db: db.execute("SELECT * FROM worker").fetchall())
    held = [(lease.job, lease.token, lease.worker) for lease in server.service._book.held()]
    return rows, events, workers, held, server.service.paused, server.service.draining


def test_a_manifest_that_is_none_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, {"a": "", "b": ""}, lease_s=1.0) as server, greeted(server) as proxy:
        lease = claim(proxy)
        before = state_of(server)
        for wrong in ({"files": "x"}, {"files": "x", "statistics": {}}, "x", None, []):
            with pytest.raises(ValueError, match=r"^prepare: manifest: "):
                proxy.prepare("w", lease.job, lease.token, wrong)
        assert state_of(server) == before
        until(lambda: server.counts() == {"ready": 2}, within_s=5)
    with serving(tmp_path, {"a": "", "b": ""}) as again:
        assert again.counts() == {"ready": 2}


def test_a_process_that_no_machine_has_is_refused(tmp_path: Path) -> None:
    with serving(tmp_path, {"a": "", "b": ""}) as server, greeted(server) as proxy:
        before = state_of(server)
        for pid in (2**40, 0, -1, "1", None, 1.5, True):
            with pytest.raises(ValueError, match=r"^hello: info: pid: "):
                proxy.hello({"name": "x", "protocol": PROTOCOL, **INFO, "pid": pid})
        assert state_of(server) == before
        claim(proxy)
    with serving(tmp_path, {"a": "", "b": ""}) as again:
        assert again.counts() == {"leased": 1, "ready": 1}


def test_a_worker_of_another_version_is_told_so_and_not_what_a_schema_is(proxy: Any) -> None:
    info = {"name": "x", **INFO, "protocol": PROTOCOL + 1, "news": "of later versions"}
    assert "install the same version" in proxy.hello(info)["refused"]


def test_statistics_without_their_reasons_end_nothing(
    server: Server, proxy: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = []
    server.service._on_final = ended.append
    lease = claim(proxy)
    plain = {**manifest_of(lease).to_dict(), "statistics": {"partial": 1}}
    assert proxy.prepare("w", lease.job, lease.token, plain) == "go"
    assert proxy.published("w", lease.job, lease.token) == "ok"
    PlainDisplay().report_end(ended[0])
    assert "partial: " in capsys.readouterr().out
    for wrong in (math.inf, math.nan, "1", None, 10**400):
        odd = {**manifest_of(lease).to_dict(), "statistics": {"partial": wrong}}
        with pytest.raises(ValueError, match="statistics: partial: "):
            proxy.prepare("w", lease.job, lease.token, odd)


PROGRESS = [
    {"stage": 5},
    {"fraction": "half"},
    {"speed": None},
    {"done": math.inf},
    {"done": -1},
    {"stage": "x" * 201},
    {"duration_s": math.nan},
    {"other": [1]},
    {"x" * 201: 1},
    "done",
]


@pytest.mark.parametrize("progress", PROGRESS, ids=str)
def test_progress_that_cannot_be_shown_is_refused(
    server: Server, proxy: Any, progress: Any
) -> None:
    lease = claim(proxy)
    with pytest.raises(ValueError, match=r"^beat: held: 0: progress"):
        proxy.beat("w", [[lease.job, lease.token, progress]])
    display = LiveDisplay(Estimate(server.store.path))
    try:
        display.show(proxy.status())
    finally:
        display.close()


@pytest.mark.parametrize("n", [-1, 0, 65, 2**40, True, None, "1", 1.0])
def test_an_odd_number_of_jobs_leases_none(server: Server, proxy: Any, n: Any) -> None:
    with pytest.raises(ValueError, match=r"^claim: n: .* is not a whole number from 1 to 64"):
        proxy.claim("w", "r", n)
    assert server.counts() == {"ready": 2}


def test_nobody_says_bye_for_everybody(server: Server, proxy: Any) -> None:
    claim(proxy)
    for worker in (None, "", ["w"], {}, 0):
        with pytest.raises(ValueError, match=r"^bye: worker: "):
            proxy.bye(worker)
    assert server.counts() == {"leased": 1, "ready": 1}
    assert len(server.service._book.held()) == 1


def test_a_name_that_has_not_said_hello_changes_nothing(server: Server, proxy: Any) -> None:
    lease = claim(proxy)
    before = state_of(server)
    assert proxy.claim("stranger", "s", 1) == {"hello": True}
    assert proxy.beat("stranger", [[lease.job, lease.token, {}]])["lost"] == [lease.job]
    assert (
        proxy.prepare("stranger", lease.job, lease.token, manifest_of(lease).to_dict()) == "stale"
    )
    assert proxy.published("stranger", lease.job, lease.token) == "stale"
    for kind in ("input", "resource", "crash"):
        assert proxy.fail("stranger", lease.job, lease.token, kind, "x") == "stale"
    assert proxy.release("stranger", [[lease.job, lease.token]]) == "ok"
    assert proxy.bye("stranger") == "ok"
    assert state_of(server) == before
    assert [worker["name"] for worker in server.service.status()["workers"]] == ["w"]
    assert not server.service.withheld()


def test_jobs_that_are_not_there_are_stale(server: Server, proxy: Any) -> None:
    assert proxy.beat("w", [[99, 1, {}]])["lost"] == [99]
    for kind in ("input", "resource", "crash"):
        assert proxy.fail("w", 99, 1, kind, "x") == "stale"
    assert proxy.prepare("w", 99, 1, *GOOD["prepare"][3:]) == "stale"
    assert proxy.published("w", 99, 1) == "stale"
    assert proxy.release("w", [[99, 1]]) == "ok"


def test_the_client_refuses_before_it_sends(server: Server) -> None:
    with closing(Client(server.uri, name="x" * 201)) as client:
        with pytest.raises(CallRefused, match=r"^claim: worker: "):
            client.claim()
        assert client._proxy._pyroConnection is None


def test_a_client_of_another_schema_hears_the_reason(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.worker.client.require_call", lambda *_: None)
    with (
        closing(Client(server.uri, name="x" * 201)) as client,
        pytest.raises(CallRefused, match=r"^claim: worker: .* install the same version"),
    ):
        client.claim()


def test_a_fault_in_one_call_is_told_once_and_reaches_no_other(
    server: Server, proxy: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lease = claim(proxy)

    def stumble(*_: Any, **__: Any) -> bool:
        raise ZeroDivisionError("of the test")

    monkeypatch.setattr(server.ledger, "prepare", stumble)
    with caplog.at_level(logging.WARNING), closing(Client(server.uri, name="w")) as client:
        for _ in range(5):
            with pytest.raises(ServerFault, match="fault at prepare: ZeroDivisionError: of the"):
                client._call("prepare", "w", lease.job, lease.token, manifest_of(lease).to_dict())
        assert proxy.beat("w", [[lease.job, lease.token, {}]])["lost"] == []
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("prepare met a fault and goes on, told once: ZeroDivisionError")
    assert not caplog.records[0].exc_info


OPERATOR_BAD = {
    "retry": ["1", [0], [-1], [2**64], [None], [[1]], None],
    "cancel": ["all", [1.0], [True]],
    "redo": [[[1, 1]], [[1, 1, None]], [[1, 1, "x" * 300]], 5],
    "accept": [[[1, 1, {}]], [[1, 1, {"files": "x", "statistics": {}}]]],
    "pause": [None, 1, "yes"],
}


@pytest.mark.parametrize("verb", OPERATOR_BAD)
def test_the_operators_door_has_the_same_schema(server: Server, verb: str) -> None:
    before = state_of(server)
    with closing(Door(server.store.path)) as door:
        with Proxy(f"PYRO:ina.operator@./u:{door._address}") as proxy:
            for wrong in OPERATOR_BAD[verb]:
                with pytest.raises(ValueError, match=rf"^{verb}: "):
                    proxy._pyroInvoke(verb, (wrong,), {})
        with pytest.raises(UsageError, match=f"cannot do that .{verb}: "):
            door.call(verb, OPERATOR_BAD[verb][0])
        assert state_of(server) == before
        assert door.call("status")["counts"] == {"ready": 2}


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_any_json_value_in_any_verb_is_answered(
    server: Server, proxy: Any, data: st.DataObject
) -> None:
    """A refused call changes nothing; whatever was said, the next one is answered."""
    verb = data.draw(st.sampled_from(sorted(WORKER_VERBS)))
    args = data.draw(arguments(verb))
    before = state_of(server)
    try:
        proxy._pyroInvoke(verb, args, {})
    except ValueError:
        assert state_of(server) == before
    assert set(proxy.status()["counts"]) <= queries.STATES
    assert not [thread.name for thread in server.server.threads if thread.is_dead()]


@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_any_json_value_in_any_verb_of_the_operator_is_answered(
    server: Server, data: st.DataObject
) -> None:
    verb = data.draw(st.sampled_from(sorted(OPERATOR_VERBS)))
    args = data.draw(arguments(verb))
    before = state_of(server)
    with (
        closing(Door(server.store.path)) as door,
        Proxy(f"PYRO:ina.operator@./u:{door._address}") as proxy,
    ):
        try:
            proxy._pyroInvoke(verb, args, {})
        except ValueError:
            assert state_of(server) == before
        assert set(proxy.status()["counts"]) <= queries.STATES
