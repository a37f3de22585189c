"""Roots that jobs must stay in, as the joblist is read and again where files are opened."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from joblist import reader
from joblist.addresses import rules
from joblist.errors import JoblistError
from joblist.model import JobSpec
from jobs.errors import JobFailed
from jobs.inputs import bounds, intake, joblist
from jobs.outputs import publish
from jobs.types import Bounds, Lease
from jobs.worker.child import outcome_of
from tests.support.jobs import EXPORTERS


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("in", "in2", "out"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.mp4").write_text("medium")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "in2")
    (tmp_path / "in" / "file.mp4").symlink_to(tmp_path / "in2" / "a.mp4")
    (tmp_path / "in" / "own.mp4").symlink_to(tmp_path / "in" / "a.mp4")
    (tmp_path / "out" / "link").symlink_to(tmp_path / "in2")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def limits(folder: Path, **settings: Any) -> Bounds:
    return Bounds(input_root=str(folder / "in"), output_root=str(folder / "out"), **settings)


BAD = {
    "another folder": ("in2/a.mp4", "out/a.csv", "in2/a.mp4' lies outside"),
    "dots": ("in/../in2/a.mp4", "out/a.csv", "in2/a.mp4' lies outside"),
    "a linked folder": ("in/link/a.mp4", "out/a.csv", "in/link/a.mp4' lies outside"),
    "a linked file": ("in/file.mp4", "out/a.csv", "in/file.mp4' lies outside"),
    "another place for results": ("in/a.mp4", "in/a.csv", "in/a.csv' lies outside"),
    "dots in results": ("in/a.mp4", "out/../b.csv", "b.csv' lies outside"),
    "a linked place for results": ("in/a.mp4", "out/link/new/a.csv", "a.csv' lies outside"),
    "a name like a root's": ("in/a.mp4", "out2/a.csv", "out2/a.csv' lies outside"),
    "no name of a result": ("in/a.mp4", "out/a.py", "has a suffix that no result has"),
    "a start-up file": ("in/a.mp4", "out/.bashrc", "has a suffix that no result has"),
}


def lease(folder: Path, source: str, dest: str, **settings: Any) -> Lease:
    spec = JobSpec(source_path=os.path.abspath(source), dests={"csv": os.path.abspath(dest)})
    return Lease(job=1, token=1, spec=spec, options={}, bounds=limits(folder, **settings))


@pytest.mark.parametrize("name", BAD)
def test_joblists_that_leave_their_roots(name: str, folder: Path) -> None:
    source, dest, says = BAD[name]
    Path("jobs.csv").write_text(f"source_path,dest_csv\n{source},{dest}\n")
    with pytest.raises(JoblistError) as caught:
        list(joblist.read("jobs.csv", exporters=EXPORTERS, bounds=limits(folder)))
    ((line, text),) = caught.value.problems
    assert line == 2
    assert says in text


@pytest.mark.parametrize("name", BAD)
def test_jobs_that_leave_their_roots(name: str, folder: Path) -> None:
    source, dest, says = BAD[name]
    with (
        pytest.raises(JobFailed) as caught,
        intake.admitted(lease(folder, source, dest), lambda _: None),
    ):
        pass
    assert (caught.value.kind, says in caught.value.message) == ("input", True)
    assert sorted(os.listdir("out")) == ["a.mp4", "link"], "no folder was made for it"


def test_jobs_within_their_roots(folder: Path) -> None:
    for source in ("in/a.mp4", "in/own.mp4"):
        with intake.admitted(lease(folder, source, "out/deep/er/a.csv"), lambda _: None) as job:
            assert job.source_path == str(folder / "in" / "a.mp4")
            assert job.dests == {"csv": str(folder / "out/deep/er/a.csv")}


def test_corrections_are_read_from_either_root(folder: Path) -> None:
    job = lease(folder, "in/a.mp4", "out/a.csv")
    for path, fits in (("in/c.json", 1), ("out/c.json", 1), ("in2/c.json", 0), ("out/link/c", 0)):
        spec = replace(job.spec, corrections=os.path.abspath(path))
        faults = list(bounds.faults(spec, job.bounds))
        assert len(faults) == 1 - fits
        assert all(f"{path}' lies outside" in fault for fault in faults)


def test_a_folder_that_becomes_a_link_before_the_rename(folder: Path) -> None:
    """What was written in good faith is not published elsewhere."""
    job = lease(folder, "in/a.mp4", "out/new/a.csv")
    publish.open_folders(job)
    os.rename("out/new", "out/old")
    os.symlink(folder / "in2", "out/new")
    outcome = outcome_of(lambda: intake.require_bounds(job))
    assert (outcome.kind, "lies outside" in outcome.error) == ("input", True)


def test_without_roots_everything_may_be_named(folder: Path) -> None:
    spec = JobSpec(source_path="/anything", dests={"csv": "/any/where"})
    assert list(bounds.faults(spec, Bounds())) == []


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://films.test/a.mp4", "only https addresses"),
        ("ftp://films.test/a.mp4", "only https addresses"),
        ("https://user@films.test/a.mp4", "holds a user name"),
        ("https:///a.mp4", "not a complete address"),
        ("https://films.test:99999/a.mp4", "not a complete address"),
        ("https://films.test/a b.mp4", "percent encoding"),
        ("https://films.test/ü.mp4", "percent encoding"),
        ("https://films.test/a\r\nHost: x", "percent encoding"),
    ],
)
def test_addresses_that_are_never_fetched(url: str, says: str) -> None:
    assert says in rules.url_fault(url)
    spec = JobSpec(source_path=url, dests={})
    assert len(list(bounds.faults(spec, Bounds(allow_urls=True)))) == 1


def test_an_address_in_a_joblist(folder: Path) -> None:
    Path("jobs.csv").write_text("source_path,dest_csv\nhttps://films.test/a.mp4?x=1,out/a.csv\n")
    with pytest.raises(JoblistError, match="serve with --allow_urls"):
        list(joblist.read("jobs.csv", exporters=EXPORTERS))
    (spec,) = joblist.read("jobs.csv", exporters=EXPORTERS, bounds=limits(folder, allow_urls=True))
    assert spec.source_path == "https://films.test/a.mp4?x=1"


def test_a_joblist_has_an_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_ROWS", 3)
    rows = "".join(f"in/a.mp4,out/{n}.csv\n" for n in range(9))
    Path("jobs.csv").write_text(f"source_path,dest_csv\n{rows}")
    with pytest.raises(JoblistError, match=":5: more than 3 rows"):
        list(joblist.read("jobs.csv", exporters=EXPORTERS))
