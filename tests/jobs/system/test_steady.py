"""Threads that go on, and the watchdog that finds those which do not."""

import logging
import threading
from typing import Any

import pytest

from jobs.system import steady
from jobs.system.steady import FaultLog, RepeatedNotes, SteadyThread, revive_dead
from tests.support.processes import until


def test_a_loop_that_fails_goes_on_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    turns = 0

    def loop() -> None:
        nonlocal turns
        turns += 1
        raise KeyError("x")

    thread = SteadyThread(loop, name="reaper", pause_s=0.01)
    with caplog.at_level(logging.WARNING):
        thread.start()
        until(lambda: turns > 5)
        thread.end()
        thread.join()
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("thread reaper met a fault and goes on, told once: KeyError: 'x' (test_")


def test_each_fault_is_told(caplog: pytest.LogCaptureFixture) -> None:
    faults = FaultLog()
    for error in (KeyError("a"), ValueError("b"), KeyError("c")):
        faults.note("here", error)
    assert len(caplog.records) == 2, "two kinds at one place"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_watchdog_finds_a_dead_thread_and_starts_it_again() -> None:
    first, second = threading.Event(), threading.Event()

    def loop() -> None:
        if not first.is_set():
            first.set()
            raise SystemExit
        second.wait(10)

    threads = [SteadyThread(loop, name="storage", pause_s=0.01)]
    assert revive_dead(threads) == [], "not started yet"
    threads[0].start()
    until(threads[0].is_dead)
    assert revive_dead(threads) == ["the thread storage had ended and is started again"]
    assert revive_dead(threads) == []
    threads[0].end()
    second.set()
    threads[0].join()
    assert revive_dead(threads) == [], "it was told to end"


def test_a_loop_that_ends_too_early_begins_again() -> None:
    turns: list[Any] = []
    thread = SteadyThread(lambda: turns.append(None), name="x", pause_s=0.01)
    thread.start()
    until(lambda: len(turns) > 3)
    thread.end()
    thread.join()


def test_a_text_that_counts_down_is_told_at_intervals(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 5.0
    monkeypatch.setattr(steady.time, "monotonic", lambda: now)
    notes = RepeatedNotes(every_s=30.0)
    told = []
    for second in range(61):
        now = 5.0 + second
        told += [second] if notes.is_due(f"again in {60 - second} s") else []
    assert told == [0, 30, 60]
    assert notes.is_due("something else")
    assert not notes.is_due("something else")
