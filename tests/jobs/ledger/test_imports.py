"""The same joblist again, an edited one, other options, outputs that are gone."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from joblist.model import JobSpec
from jobs.ledger import queries
from jobs.ledger.imports import Imported, import_jobs
from jobs.ledger.ledger import Ledger
from jobs.types import Job
from tests.support.jobs import manifest, specs


def read(ledger: Ledger, listed: Iterable[JobSpec], *, options: str = "opts") -> Imported:
    ledger.store.epoch += 1
    return import_jobs(ledger, listed, options_digest=options)


def counts(ledger: Ledger) -> dict[str, int]:
    return ledger.store.read(queries.counts)


def start(ledger: Ledger, job: Job) -> None:
    """Write the output and fix the winner."""
    path = Path(job.spec.dests["csv"])
    path.write_bytes(b"rows")
    assert ledger.prepare(job.id, job.token, "w", manifest(path, b"rows"))


def finish(ledger: Ledger, n: int, *, options: str = "opts") -> None:
    for job in ledger.claim("w", f"finish {ledger.store.epoch}", n):
        start(ledger, job)
        ledger.published(job.id, job.token, "w", options_digest=options)


def test_the_same_joblist_adds_nothing(ledger: Ledger, tmp_path: Path) -> None:
    assert read(ledger, specs(tmp_path, 3)).added == 3
    assert read(ledger, specs(tmp_path, 3)).added == 0
    assert counts(ledger) == {"ready": 3}


def test_equal_rows_count_once(ledger: Ledger, tmp_path: Path) -> None:
    assert read(ledger, specs(tmp_path, 2) * 2).added == 2


def test_a_new_row_is_added_and_a_moved_row_is_the_same_job(ledger: Ledger, tmp_path: Path) -> None:
    read(ledger, specs(tmp_path, 2))
    finish(ledger, 2)
    moved = [replace(spec, line=9 - spec.line) for spec in specs(tmp_path, 3)]
    report = read(ledger, moved)
    assert (report.added, report.skipped) == (1, 2)


def test_a_row_with_another_medium_is_run_again(ledger: Ledger, tmp_path: Path) -> None:
    read(ledger, specs(tmp_path, 1))
    finish(ledger, 1)
    (spec,) = specs(tmp_path, 1)
    read(ledger, [replace(spec, source_path="/other.mp4")])
    assert counts(ledger) == {"ready": 1}


def test_a_removed_row_is_cancelled_until_it_comes_back(ledger: Ledger, tmp_path: Path) -> None:
    read(ledger, specs(tmp_path, 3))
    assert read(ledger, specs(tmp_path, 1)).cancelled == 2
    read(ledger, specs(tmp_path, 3))
    assert counts(ledger) == {"ready": 3}


def test_done_jobs_are_skipped_while_their_outputs_are_there(
    ledger: Ledger, tmp_path: Path
) -> None:
    read(ledger, specs(tmp_path, 3))
    finish(ledger, 3)
    assert read(ledger, specs(tmp_path, 3)).skipped == 3
    (tmp_path / "2.csv").unlink()
    (tmp_path / "3.csv").write_bytes(b"truncat")
    assert read(ledger, specs(tmp_path, 3)).missing == 2
    assert counts(ledger) == {"skipped": 1, "ready": 2}


def test_other_options_run_everything_again(ledger: Ledger, tmp_path: Path) -> None:
    read(ledger, specs(tmp_path, 2))
    finish(ledger, 2)
    assert read(ledger, specs(tmp_path, 2), options="new").skipped == 0
    assert counts(ledger) == {"ready": 2}


def test_other_options_take_running_jobs_back(ledger: Ledger, tmp_path: Path) -> None:
    read(ledger, specs(tmp_path, 1))
    (job,) = ledger.claim("w", "r", 1)
    read(ledger, specs(tmp_path, 1), options="new")
    assert not ledger.prepare(job.id, job.token, "w", manifest(tmp_path / "2.csv"))


def test_other_options_wait_for_renames_that_have_begun(ledger: Ledger, tmp_path: Path) -> None:
    read(ledger, specs(tmp_path, 1))
    (job,) = ledger.claim("w", "r", 1)
    start(ledger, job)
    read(ledger, specs(tmp_path, 1), options="new")
    assert counts(ledger) == {"publishing": 1}
    assert ledger.published(job.id, job.token, "w", options_digest="new")
    assert counts(ledger) == {"ready": 1}


@pytest.mark.parametrize(("ended", "state"), [("1", "ready"), ("0", "failed")])
def test_failed_jobs_get_another_chance_after_the_run_has_ended(
    ledger: Ledger, tmp_path: Path, ended: str, state: str
) -> None:
    read(ledger, specs(tmp_path, 1))
    (job,) = ledger.claim("w", "r", 1)
    ledger.fail(job.id, job.token, "w", kind="input", text="broken")
    ledger.store.set_meta(ended=ended)
    assert read(ledger, specs(tmp_path, 1)).retried == (ended == "1")
    assert counts(ledger) == {state: 1}


def test_nothing_is_imported_when_the_source_fails_half_way(ledger: Ledger, tmp_path: Path) -> None:
    def broken() -> Iterable[JobSpec]:
        yield from specs(tmp_path, 2)
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="went away"):
        read(ledger, broken())
    assert counts(ledger) == {}
