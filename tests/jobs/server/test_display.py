"""What a server prints while jobs are withheld: once, although the reason counts down."""

import pytest

from jobs.server import display
from jobs.server.display import PlainDisplay


def status(why: str) -> dict[str, object]:
    return {"withheld": why, "counts": {"ready": 1}}


def test_a_reason_that_counts_down_is_printed_once_and_then_every_30_s(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr(display.time, "monotonic", lambda: now)
    shown = PlainDisplay()
    for left_s in range(60, 0, -1):
        for _ in range(4):
            shown.show(status(f"/out is gone: it is made again in {left_s} s"))
            now += 0.25
    shown.show(status("/out: no space left on device"))
    shown.show(status(""))
    lines = [line for line in capsys.readouterr().out.splitlines() if "handed out" in line]
    assert lines == [
        "no jobs are handed out: /out is gone: it is made again in 60 s",
        "no jobs are handed out: /out is gone: it is made again in 30 s",
        "no jobs are handed out: /out: no space left on device",
        "jobs are handed out again",
    ]
