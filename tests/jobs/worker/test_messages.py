"""What a child tells its supervisor: known messages and nothing else, with real processes."""

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.errors import CallRefused, JobFailed
from jobs.types import Manifest, Outcome, PartFile
from jobs.worker import child, messages
from tests.support.jobs import JSON
from tests.support.servers import serving, working

FILE = PartFile(part="/a.csv.part.1.1", path="/a.csv", sha256="0" * 64, size=3)
OUTCOMES = [
    Outcome(),
    Outcome(manifest=Manifest(files={"csv": FILE}, statistics={"persons": 1.0})),
    Outcome(kind="input", error="cannot be read: 🎞"),
]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_arrives_as_it_was_sent(outcome: Outcome) -> None:
    assert messages.decode(messages.encode("outcome", outcome)) == outcome


def test_progress_arrives_as_it_was_sent() -> None:
    values = {"stage": "observe", "fraction": 0.5, "pid": 3, "ok": True}
    assert messages.decode(messages.encode("progress", values)) == values


@given(JSON)
def test_any_other_json_is_refused(value: Any) -> None:
    try:
        message = messages.decode(json.dumps(value).encode())
    except CallRefused:
        return
    assert isinstance(message, Outcome | dict)


@given(st.binary(max_size=40))
def test_any_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(CallRefused):
        messages.decode(data)


@pytest.mark.parametrize("depth", [1_000, 100_000])
def test_deep_json_is_refused(depth: int) -> None:
    with pytest.raises(CallRefused):
        messages.decode(b"[" * depth)


def test_objects_are_not_read() -> None:
    with pytest.raises(CallRefused):
        messages.decode(pickle.dumps(("outcome", Outcome())))


def test_a_reason_is_cut_and_plain_whatever_it_is_about() -> None:
    for text in ("x" * 9000, "a\0b", "/film\udcff.mp4"):
        failure = child.outcome_of(lambda text=text: _fail("input", text))  # type: ignore[misc]
        assert messages.decode(messages.encode("outcome", failure)) == failure
    odd = child.outcome_of(lambda: _fail("odd", "x"))
    assert messages.decode(messages.encode("outcome", odd)) == Outcome(kind="bug", error="odd: x")


def _fail(kind: str, text: str) -> Outcome:
    raise JobFailed(kind, text)


PROGRESS = [
    '{"stage": 5, "fraction": 0.5}',
    '{"fraction": "half"}',
    '{"speed": null}',
    '{"done": Infinity, "duration_s": NaN}',
    '{"done": [1]}',
    '{"stage": "' + "x" * 5000 + '"}',
]


def test_odd_progress_costs_no_job(tmp_path: Path) -> None:
    media = {f"m{n}": f"report {text}\nsleep 0.3\nreport {text}" for n, text in enumerate(PROGRESS)}
    with serving(tmp_path, media, lease_s=2.0) as server, working(server.uri) as worker:
        assert worker.wait(60) == 0
        assert server.counts() == {"done": len(PROGRESS)}


STATISTICS = {
    '{"persons": Infinity}': "statistics: persons: inf is not a number",
    '{"persons": NaN}': "statistics: persons: nan is not a number",
    '{"persons": "many"}': "statistics: persons: 'many' is not a number",
    '{"persons": null}': "statistics: persons: None is not a number",
    "[]": "",
}


def test_odd_statistics_fail_the_job_with_a_reason_and_no_other(tmp_path: Path) -> None:
    media = {f"m{n}": f"statistics {text}" for n, text in enumerate(STATISTICS)}
    with (
        serving(tmp_path, {**media, "good": ""}) as server,
        working(server.uri) as worker,
    ):
        while server.counts().get("ready"):
            assert worker.poll() is None
        jobs = [server.job(n) for n in range(1, len(STATISTICS) + 2)]
        worker.terminate()
        worker.wait(60)
    for job, message in zip(jobs, STATISTICS.values(), strict=False):
        assert (job.error_kind, message in (job.error or "")) == ("bug", True)
    assert not list(tmp_path.rglob("*.part.*"))


@pytest.mark.parametrize(
    "data",
    [b"x" * 2_000_000, b"{}", pickle.dumps(("outcome", print))],
    ids=["long", "odd", "pickle"],
)
def test_a_child_that_babbles_is_ended(tmp_path: Path, data: bytes) -> None:
    with (
        serving(tmp_path, {"a": f"babble {data.hex()}", "b": ""}) as server,
        working(server.uri) as worker,
    ):
        while server.counts().get("done") != 1 or server.job(1).lost < 1:
            assert worker.poll() is None
        job = server.job(1)
        worker.terminate()
        worker.wait(60)
    assert job.error_kind == "crash"
