"""The server's view of what a worker does not find: wrong for good, or away."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from joblist.model import JobSpec
from jobs.server.sources import SourceWitness
from jobs.types import Job, State
from tests.support.processes import until

MakeJob = Callable[..., Job]


@pytest.fixture
def witness() -> SourceWitness:
    return SourceWitness(patience_s=5.0)


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    """A job of a file in the folder `films`, which has others."""
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "other.mp4").touch()

    def make(name: str, *, length: float | None = None) -> Job:
        source = name if "://" in name else str(tmp_path / "films" / name)
        spec = JobSpec(source_path=source, dests={"csv": "/a.csv"})
        values = {"attempts": 1, "lost": 0, "fails": 0, "worker": "w"}
        rest = {"error_kind": None, "error": None, "manifest": None}
        return Job(id=1, spec=spec, state=State.LEASED, token=1, length=length, **values, **rest)  # type: ignore[arg-type]

    return make


def away(tmp_path: Path) -> None:
    shutil.move(tmp_path / "films", tmp_path / "elsewhere")


def test_what_the_server_sees_is_the_worker_s_fault(
    witness: SourceWitness, make_job: MakeJob
) -> None:
    for kind in ("missing", "unreachable", "storage"):
        assert witness.excuses(make_job("other.mp4"), "w", kind, live=["w"])


def test_a_file_that_is_missing_among_others_is_missing(
    witness: SourceWitness, make_job: MakeJob
) -> None:
    for kind in ("missing", "unreachable"):
        assert not witness.excuses(make_job("none.mp4"), "w", kind, live=["w", "x"])


def test_a_folder_that_was_seen_is_away(
    witness: SourceWitness, make_job: MakeJob, tmp_path: Path
) -> None:
    witness.glance(make_job("other.mp4").spec)
    until(lambda: witness._folders)
    away(tmp_path)
    assert witness.excuses(make_job("other.mp4"), "w", "unreachable", live=["w"])
    (tmp_path / "films").mkdir()
    assert witness.excuses(make_job("other.mp4"), "w", "unreachable", live=["w"])
    shutil.rmtree(tmp_path / "films")
    assert not witness.excuses(make_job("../typo/a.mp4"), "w", "unreachable", live=["w"])


def test_what_a_worker_has_read_or_the_server_measured_was_there(
    witness: SourceWitness, make_job: MakeJob, tmp_path: Path
) -> None:
    away(tmp_path)
    assert witness.excuses(make_job("a.mp4", length=60.0), "w", "unreachable", live=["w"])
    assert not witness.excuses(make_job("a.mp4"), "w", "unreachable", live=["w"])
    witness.note_done(make_job("b.mp4").spec)
    assert witness.excuses(make_job("a.mp4"), "w", "unreachable", live=["w"])


def test_a_folder_that_nobody_has_seen_is_looked_for_by_every_worker(
    witness: SourceWitness, make_job: MakeJob
) -> None:
    job = make_job("none/a.mp4")
    assert witness.excuses(job, "w", "unreachable", live=["w", "x"])
    assert witness.excuses(job, "w", "unreachable", live=["w", "x"])
    assert not witness.excuses(job, "x", "unreachable", live=["w", "x"])
    assert not witness.excuses(make_job("none/b.mp4"), "w", "unreachable", live=["w", "x"])


def test_an_empty_folder_among_others_was_never_filled(
    witness: SourceWitness, make_job: MakeJob, tmp_path: Path
) -> None:
    witness.glance(make_job("other.mp4").spec)
    until(lambda: witness._folders)
    (tmp_path / "films" / "stills").mkdir()
    assert not witness.excuses(make_job("stills"), "w", "unreachable", live=["w"])


def test_a_folder_of_stills_that_was_filled_is_away(
    witness: SourceWitness, make_job: MakeJob, tmp_path: Path
) -> None:
    still = tmp_path / "films" / "stills" / "a.png"
    still.parent.mkdir()
    still.touch()
    witness.glance(make_job("stills").spec)
    until(lambda: str(still.parent) in witness._folders)
    still.unlink()
    assert witness.excuses(make_job("stills"), "w", "unreachable", live=["w"])


def test_a_host_is_at_fault_once_every_worker_has_asked_for_it_in_vain(
    witness: SourceWitness, make_job: MakeJob
) -> None:
    job = make_job("https://films.test/a.mp4")
    for kind in ("unknown_host", "silent_host"):
        assert witness.excuses(job, "w", kind, live=["w", "x"])
        assert not witness.excuses(job, "x", kind, live=["w", "x"])
        assert witness.excuses(make_job("https://other.test/a.mp4"), "x", kind, live=["w", "x"])
        # A worker without a network is excused for as long as others fetch from the host.
        witness.note_done(make_job("https://FILMS.test/b.mp4").spec)
        assert witness.excuses(job, "w", kind, live=["w", "x"])
        witness.note_done(job.spec)
        witness.note_done(make_job("https://other.test/a.mp4").spec)


def test_an_empty_folder_in_place_of_a_medium_keeps_nobody_waiting(
    witness: SourceWitness, make_job: MakeJob, tmp_path: Path
) -> None:
    """The folder above it is there, and has been seen: it is no outage of that."""
    (tmp_path / "films" / "empty").mkdir()
    witness.note_done(make_job("other.mp4").spec)
    job = make_job("empty")
    assert witness.excuses(job, "w", "unreachable", live=["w", "x"])
    assert not witness.excuses(job, "x", "unreachable", live=["w", "x"])


def test_a_gallery_that_was_seen_and_is_empty_is_away(
    witness: SourceWitness, make_job: MakeJob, tmp_path: Path
) -> None:
    gallery = tmp_path / "people"
    gallery.mkdir()
    job = make_job("other.mp4")
    job = replace(job, spec=replace(job.spec, gallery=str(gallery)))
    witness.note_done(job.spec)
    for worker in ("w", "x", "w"):
        assert witness.excuses(job, worker, "unreachable", live=["w", "x"])
