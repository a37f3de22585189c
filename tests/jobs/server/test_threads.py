"""The threads beside a server survive what happens in them."""

import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from jobs.server import cleanup
from jobs.server.leases import HeldLease
from jobs.system.steady import revive_dead
from tests.support.processes import until
from tests.support.servers import opened, serving, working

THREADS = {"requests", "operator", "reaper", "storage"}


def stumble(*_: Any, **__: Any) -> None:
    raise ZeroDivisionError("of the test")


def test_reaper_and_storage_watch_go_on_after_any_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path, {"a": "sleep 1"}, lease_s=1.2) as server:
        with monkeypatch.context() as patch:
            patch.setattr(server.ledger, "next_due_s", stumble)
            patch.setattr(cleanup, "remove_part_files", stumble)
            until(lambda: len(caplog.records) >= 2)
        with working(server.uri) as worker:
            assert worker.wait(60) == 0
        assert server.counts() == {"done": 1}
        assert {thread.name for thread in server.server.threads} == THREADS
        assert not [thread.name for thread in server.server.threads if thread.is_dead()]
    lines = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert sorted(line.partition(" met")[0] for line in lines) == [
        "thread reaper",
        "thread storage",
    ]


def test_one_lease_that_cannot_be_taken_back_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path, {"a": "", "b": ""}, lease_s=1.0) as server:
        take_back = server.ledger.take_back

        def stumble_over_1(job: int, *args: Any, **kwargs: Any) -> Any:
            if job == 1:
                stumble()
            return take_back(job, *args, **kwargs)

        monkeypatch.setattr(server.ledger, "take_back", stumble_over_1)
        for job in server.ledger.claim("gone", "r", 2):
            server.service._book.add(HeldLease.of(job, running=True))
        until(lambda: server.counts() == {"leased": 1, "ready": 1}, within_s=5)
        monkeypatch.setattr(server.ledger, "take_back", take_back)
        until(lambda: server.counts() == {"ready": 2}, within_s=5)
    assert len(caplog.records) == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_watchdog_of_a_server_starts_a_dead_thread_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path, {"a": ""}, lease_s=1.2) as server:
        with monkeypatch.context() as patch:
            patch.setattr(server.service, "tick", lambda: (_ for _ in ()).throw(SystemExit))
            until(lambda: any(thread.is_dead() for thread in server.server.threads))
        told = revive_dead(server.server.threads)
        assert told == ["the thread reaper had ended and is started again"]
        assert "reaper" in {thread.name for thread in threading.enumerate()}


def test_the_dashboard_goes_on_after_any_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(tmp_path, {"a": ""}) as server:
        page = opened(server)
        try:
            with monkeypatch.context() as patch:
                patch.setattr(page._server._gate, "_sweep", stumble)
                until(lambda: caplog.records)
            until(lambda: not page.thread.is_dead())
        finally:
            page.close()
    assert len(caplog.records) == 1
