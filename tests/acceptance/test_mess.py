"""An archive's worth of mess in one joblist, on a real server with two workers."""

import csv
import subprocess
import sys
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest

from jobs.ledger import queries, schema
from jobs.server.progress import describe
from jobs.types import Job, State
from tests.support.mess import MESS, NFD
from tests.support.processes import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
EXPORTS = {"csv": "csv", "ass": "ass", "html": "html", "mp4": "mp4"}
WHOLE = (*"BCDEJKMNP", "L title", "F 10", "F ffv1", "F palette", "A")
"""Beginnings of the names of media with all pictures in them."""


def write_joblist(folder: Path) -> Path:
    path = folder / "jobs.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["source_path", *(f"dest_{name}" for name in EXPORTS)])
        for number, name in enumerate(MESS):
            # Spreadsheets write the composed form, whatever the disk has.
            listed = unicodedata.normalize("NFC", name)
            dests = [folder / "out" / f"{number}.{suffix}" for suffix in EXPORTS.values()]
            writer.writerow([folder / "media" / listed, *dests])
        writer.writerows([[""] * (1 + len(EXPORTS))] * 200)
    return path


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Job]]:
    """Folder, all output, and the jobs by the name of their medium."""
    folder = tmp_path_factory.mktemp("mess")
    (folder / "media").mkdir()
    for name, make in MESS.items():
        make(folder / "media" / name)
    command = [sys.executable, ROOT / "ina_server.py", "localhost", write_joblist(folder)]
    command += ["--port", "0", "--ledger", folder / "jobs.ledger", "--workers", "2", "--fps", "5"]
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=800, cwd=folder
    )
    with closing(schema.connect(folder / "jobs.ledger", readonly=True)) as db:
        jobs = [queries.job(db, number) for number in range(1, len(MESS) + 1)]
    text = done.stdout + done.stderr
    assert done.returncode == 1, text
    return folder, text, dict(zip(MESS, jobs, strict=True))


def test_each_ends_done_or_partial_or_failed_with_a_sentence(ended) -> None:
    folder, text, jobs = ended
    assert len(jobs) == 60
    assert "Traceback" not in text
    for name, job in jobs.items():
        assert job.state in (State.DONE, State.FAILED), (name, job.error)
        if job.state is State.FAILED:
            assert job.error_kind == "input", (name, job.error)
            assert job.error is not None
            assert len(job.error) > 20, name
            assert str(folder / "media") in job.error, name
        else:
            assert "bug" not in describe(job), (name, describe(job))
            assert "please report" not in describe(job), (name, describe(job))


def test_what_has_all_its_pictures_has_its_tables(ended) -> None:
    folder, _, jobs = ended
    whole = [name for name in MESS if name.startswith(WHOLE) or name == NFD]
    assert len(whole) > 30
    for name in whole:
        assert jobs[name].state is State.DONE, (name, jobs[name].error)
        number = list(MESS).index(name)
        for suffix in ("csv", "ass", "html"):
            assert (folder / "out" / f"{number}.{suffix}").is_file(), name


def test_what_is_no_film_fails(ended) -> None:
    _, _, jobs = ended
    for name, job in jobs.items():
        if name.startswith(("G", "Q", "L nobody", "F 16")):
            assert job.state is State.FAILED, name
    assert {jobs[name].error.rpartition(": ")[2] for name in jobs if name[0] == "G"} == {
        "no picture in it, only sound or data"
    }


def test_what_is_cut_off_says_so(ended) -> None:
    _, _, jobs = ended
    for name in ("O half.ts", "O half.avi", "H two films.ogv"):
        assert "(partial: " in describe(jobs[name]), name


def test_nothing_else_is_left(ended) -> None:
    """Every file is of a manifest; one that could not be written is told."""
    folder, _, jobs = ended
    published = {
        Path(file.path).name
        for job in jobs.values()
        if job.manifest
        for file in job.manifest.files.values()
    }
    assert {p.name for p in (folder / "out").iterdir() if p.is_file()} == published
    for job in jobs.values():
        if job.manifest:
            assert {*job.manifest.files, *job.manifest.faults} == {*EXPORTS}
