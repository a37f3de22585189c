"""The estimate of the time left: long media weigh more, on the terminal and the dashboard."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.queries import counts
from jobs.server.display import LiveDisplay
from jobs.server.estimate import Estimate
from jobs.types import Manifest, PartFile
from tests.support.jobs import Clock, specs

ELAPSED_S = 100.0
CLIPS = 100


@pytest.fixture
def estimate(ledger: Ledger, clock: Clock) -> Iterator[Estimate]:
    """Began some time ago."""
    opened = Estimate(ledger.store.path, max_age_s=0.0, clock=clock)
    clock.now += ELAPSED_S
    yield opened
    opened.close()


def add(ledger: Ledger, folder: Path, lengths: list[float | None]) -> None:
    """Import jobs with media of these lengths; None: not measured yet."""
    import_jobs(ledger, specs(folder, len(lengths)), options_digest="opts")
    with ledger.store.transaction() as db:
        rows = [(length, number) for number, length in enumerate(lengths, start=1)]
        db.executemany("UPDATE job SET length = ? WHERE id = ?", rows)


def do(ledger: Ledger, n: int, *, media_s: float = 0.0) -> None:
    """See the next jobs through."""
    for job in ledger.claim("w", f"{n} of {ledger.store.read(counts)}", n):
        csv = job.spec.dests["csv"]
        file = PartFile(part=csv, path=csv, sha256="0" * 64, size=1)
        manifest = Manifest({"csv": file}, {"media_s": media_s} if media_s else {})
        ledger.prepare(job.id, job.token, "w", manifest.to_dict())
        ledger.published(job.id, job.token, "w", options_digest="opts")


def status(ledger: Ledger, *jobs: dict[str, Any]) -> dict[str, Any]:
    """What a server tells; a worker a job."""
    progress = [
        {"job": n, "source": "f.mp4", "done": 0.0, "progress": {"stage": "observe"}, **job}
        for n, job in enumerate(jobs, start=1)
    ]
    workers = [
        {"name": f"h:{n}:x", "device": "", "silent_s": 0.0, "jobs": [job]}
        for n, job in enumerate(progress)
    ]
    return {"counts": ledger.store.read(counts), "shards_done": 0.0, "workers": workers}


def film(done: float, **progress: Any) -> dict[str, Any]:
    return {"job": 1, "done": done, "progress": {"stage": "observe", **progress}}


@pytest.mark.parametrize("length", [3600.0, None], ids=["probed", "told by its worker"])
def test_one_long_film_left_of_a_hundred_clips(ledger, estimate, tmp_path, length):
    add(ledger, tmp_path, [3600.0, *[10.0] * CLIPS])
    ledger.claim("slow", "film", 1)
    with ledger.store.transaction() as db:
        db.execute("UPDATE job SET length = ? WHERE id = 1", (length,))
    do(ledger, CLIPS)
    # By numbers, a second would be left.
    at_work = status(ledger, film(0.1, duration_s=3600.0))
    by_media = 3240 * ELAPSED_S / (360 + CLIPS * 10)
    assert estimate.left_s(at_work) == pytest.approx(by_media)
    # No other worker can help the last one, which is slower than all together were.
    at_work = status(ledger, film(0.1, duration_s=3600.0, speed=4.0))
    assert estimate.left_s(at_work) == pytest.approx(3240 / 4)


def test_media_ahead_count_by_their_length(ledger, estimate, tmp_path):
    add(ledger, tmp_path, [50.0, 30.0, 10.0, 5.0, 5.0])
    do(ledger, 2)
    assert estimate.left_s(status(ledger)) == pytest.approx(ELAPSED_S * 20 / 80)
    do(ledger, 3)
    assert estimate.left_s(status(ledger)) == 0.0


def test_at_the_end_nothing_is_left_whatever_was_said_a_moment_ago(ledger, tmp_path):
    add(ledger, tmp_path, [50.0, 50.0])
    estimate = Estimate(ledger.store.path, max_age_s=3600)
    do(ledger, 1)
    assert estimate.left_s(status(ledger))
    do(ledger, 1)
    assert estimate.left_s(status(ledger)) == 0.0
    estimate.close()


@pytest.mark.parametrize(("media_s", "done_s"), [(0.0, 20.0), (60.0, 60.0)])
def test_one_whose_length_cannot_be_told_counts_as_what_it_was_or_the_mean(
    ledger, estimate, tmp_path, media_s, done_s
):
    add(ledger, tmp_path, [float("inf"), 20.0, 20.0, 20.0])
    do(ledger, 1, media_s=media_s)
    assert estimate.left_s(status(ledger)) == pytest.approx(ELAPSED_S * 60 / done_s)


def test_without_lengths_jobs_are_counted(ledger, estimate, tmp_path):
    add(ledger, tmp_path, [None] * 4)
    assert estimate.left_s(status(ledger)) is None
    do(ledger, 1)
    assert estimate.left_s(status(ledger)) == pytest.approx(3 * ELAPSED_S)


def test_what_an_earlier_run_did_says_nothing(ledger, tmp_path):
    add(ledger, tmp_path, [10.0, 10.0])
    do(ledger, 1)
    estimate = Estimate(ledger.store.path)
    assert estimate.left_s(status(ledger)) is None
    estimate.close()


def test_a_job_that_two_workers_have_counts_once(ledger, estimate, tmp_path):
    add(ledger, tmp_path, [100.0, 100.0])
    do(ledger, 1)
    ledger.claim("w", "last", 1)
    both = [{**film(done, speed=1.0), "job": 2} for done in (0.2, 0.5)]
    expected = max(50 * ELAPSED_S / 150, 50 / 1.0)
    assert estimate.left_s(status(ledger, *both)) == pytest.approx(expected)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, "fast", None])
def test_nonsense_of_a_worker_changes_nothing(ledger, estimate, tmp_path, value):
    add(ledger, tmp_path, [100.0, 100.0])
    do(ledger, 1)
    ledger.claim("w", "last", 1)
    progress = {**film(0.5, speed=value, duration_s=value), "job": 2}
    assert estimate.left_s(status(ledger, progress)) == pytest.approx(50 * ELAPSED_S / 150)


def test_an_answer_is_good_for_a_while(ledger, clock, tmp_path):
    add(ledger, tmp_path, [10.0] * 4)
    estimate = Estimate(ledger.store.path, max_age_s=5.0, clock=clock)
    do(ledger, 1)
    clock.now += 10
    assert estimate.left_s(status(ledger)) == 30.0
    clock.now += 4
    do(ledger, 1)
    assert estimate.left_s(status(ledger)) == 26.0
    clock.now += 2
    assert estimate.left_s(status(ledger)) == 16.0
    estimate.close()


def test_the_terminal_shows_it(
    ledger: Ledger, estimate: Estimate, tmp_path: Path, shown: Callable[[dict[str, Any]], str]
) -> None:
    add(ledger, tmp_path, [3600.0, *[10.0] * CLIPS])
    ledger.claim("slow", "film", 1)
    do(ledger, CLIPS)
    text = shown(status(ledger, film(0.1, speed=4.0)))
    assert "0:01:40 elapsed" in text
    assert "0:13:30 left, until" in text
    assert "101 jobs: 100 done, 1 running" in text


@pytest.fixture
def shown(estimate: Estimate) -> Iterator[Callable[[dict[str, Any]], str]]:
    """What stands in the terminal."""
    display = LiveDisplay(estimate)

    def draw(status: dict[str, Any]) -> str:
        console = Console(width=160)
        with console.capture() as captured:
            console.print(display._overall(status))
        return captured.get()

    yield draw
    display.close()
