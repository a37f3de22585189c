"""Values of others on the real programs: refused soon, with a sentence, and in little memory."""

import json
import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from analyzer.reports import report_file
from analyzer.types import TrackPersons
from tests.support.corrected import sample_report
from tests.support.processes import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
ANALYZER = ("-m", "analyzer")
EXPORT = (*ANALYZER, "export", "--export=ass", "--output=out")
SERVER = (str(ROOT / "ina_server.py"), "localhost")
DEEP = "[" * 100_000 + "]" * 100_000
QUALITIES = ("sharpness", "frontality")
MAX_S = 60
MAX_MB = 1000


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    code: int
    text: str
    peak_mb: float


MEASURE = f"""
import os, subprocess, sys, threading
process = subprocess.Popen([sys.executable, *sys.argv[1:]])
limit = threading.Timer({MAX_S}, process.kill)
limit.start()
_, status, usage = os.wait4(process.pid, 0)
limit.cancel()
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss / 1024, flush=True)
"""
"""A program between: what a process used before it became another counts as that one's."""


def run(folder: Path, *words: str) -> Ended:
    """Run a program to its end, or kill it."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    *lines, last = done.stdout.decode().splitlines()
    text = "\n".join(lines)
    code, peak_mb = last.split()
    assert "Traceback" not in text, text
    assert int(code) in (0, 1, 2), text
    return Ended(int(code), text, float(peak_mb))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a report."""
    report = sample_report()
    told = {**report.provenance["options"], "describer": "dlib_resnet"}
    report = replace(report, provenance={"options": told, "cluster_threshold": 0.5})
    report_file.save(report, tmp_path / "a.report.zip", portraits={})
    return tmp_path


def changed(folder: Path, name: str, change: Callable[[str], str]) -> None:
    """Write a report with other JSON."""
    with (
        zipfile.ZipFile(folder / "a.report.zip") as whole,
        zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as other,
    ):
        for member in whole.namelist():
            content = whole.read(member)
            if member == "report.json":
                content = change(content.decode()).encode()
            other.writestr(member, content)


def test_one_report_that_cannot_be_read_does_not_end_the_collection(folder: Path) -> None:
    """Deep JSON, NaN, a bomb of values, and one of bytes: each is named, and the others count."""
    notes = '"notes": ['
    changed(folder, "deep.report.zip", lambda text: text.replace(notes, f"{notes}{DEEP},", 1))
    first = '"first_s": '
    changed(folder, "nan.report.zip", lambda text: text.replace(first, f'{first}NaN, "b": '))
    many = "[]," * 15_000_000
    changed(folder, "many.report.zip", lambda text: text.replace(notes, notes + many, 1))
    with (
        zipfile.ZipFile(folder / "bomb.report.zip", "w", zipfile.ZIP_DEFLATED) as bomb,
        bomb.open("report.json", "w", force_zip64=True) as stream,
    ):
        for _ in range(1000):
            stream.write(bytes(1_000_000))
    os.mkfifo(folder / "pipe.report.zip")
    bad = ("deep", "nan", "many", "bomb", "pipe")
    assert (folder / "many.report.zip").stat().st_size < 1_500_000
    names = [f"{name}.report.zip" for name in (*bad[:3], "a", *bad[3:])]
    done = run(folder, *ANALYZER, "collect", *names, "-o", "all")
    assert "1 read, 5 skipped" in done.text, done.text
    for name, says in zip(bad, ("nested", "NaN", "values", "expands", "regular"), strict=True):
        assert says in next(row for row in done.text.splitlines() if f"{name}.report.zip" in row)
    assert (folder / "all" / "identities.csv").exists()
    assert done.peak_mb < MAX_MB


@pytest.mark.parametrize(
    ("vector", "says"),
    [
        ("[NaN, 1]", "NaN is not a finite number"),
        ("[1e999, 1]", "too large"),
        ("[1e300, 1]", "not finite"),
        (f"[{'0,' * 127}0]", "no direction"),
        (DEEP, "nested"),
    ],
    ids=["nan", "infinite", "beyond 32 bits", "zero", "deep"],
)
def test_a_vector_that_names_everybody_is_refused(vector, says, sample, tmp_path) -> None:
    gallery = tmp_path / "gallery"
    gallery.mkdir()
    (gallery / "actors.csv").write_text("id,name\n1,Ada\n")
    (gallery / "actor_images.csv").write_text("actor_id,filename\n1,a.jpg\n")
    line = f'{{"image": "a.jpg", "n": 1, "faces": [{{"vector": {vector}}}]}}\n'
    (gallery / "actor_embeddings.jsonl").write_text(line)
    words = ("--gallery", "gallery", "--fps", "2", "--stop", "0.5", "-o", "out")
    done = run(tmp_path, *ANALYZER, "analyze", str(sample / "sample.mp4"), *words)
    assert done.code == 1
    assert "actor_embeddings.jsonl, line 1" in done.text
    assert says in done.text


def test_corrections_that_are_deep_are_refused(folder: Path) -> None:
    (folder / "corrections.json").write_text(DEEP)
    done = run(folder, *ANALYZER, "correct", "a.report.zip", "corrections.json")
    assert done.code in (1, 2)
    assert "corrections.json" in done.text
    assert "nested more than 64 deep" in done.text


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


INPUTS = {
    "corrections": ("odd.json", (*ANALYZER, "correct", "a.report.zip", "odd.json")),
    "report": ("odd.report.zip", (*EXPORT, "odd.report.zip")),
    "table": ("odd.csv", (*EXPORT, "--medium=a.mp4", "odd.csv")),
    "results": ("odd.report.zip", (*ANALYZER, "forget", "Ada", "--results", "odd.report.zip")),
    "joblist": ("odd.csv", (*SERVER, "odd.csv")),
    "joblist of a collection": ("odd.csv", (*ANALYZER, "collect", "odd.csv", "-o", "out")),
    "settings": ("odd.toml", (*ANALYZER, "analyze", "a.mp4", "--config", "odd.toml")),
    "boxes": ("odd.csv", (*ANALYZER, "analyze", "a.mp4", "--detector", "precomputed:file=odd.csv")),
    "weights": ("odd.onnx", (*ANALYZER, "analyze", "a.mp4", "--describer", "onnx:embed=odd.onnx")),
    "added weights": ("odd.onnx", (*ANALYZER, "models", "add", "odd.onnx")),
    "medium": ("odd.mp4", (*ANALYZER, "analyze", "odd.mp4")),
    "store": ("odd.db", (*ANALYZER, "analyze", "a.mp4", "--identities", "odd.db")),
    "address of a store": ("odd.txt", (*ANALYZER, "analyze", "a.mp4", "--identities", "@odd.txt")),
}
"""What is read -> name of its file, and a command that reads it."""


@pytest.mark.parametrize("make", [make_fifo, make_endless, make_socket], ids=lambda f: f.__name__)
@pytest.mark.parametrize("what", INPUTS)
def test_what_is_no_regular_file_keeps_no_program_waiting(what, make, folder, sample, monkeypatch):
    monkeypatch.chdir(folder)
    name, words = INPUTS[what]
    (folder / "a.mp4").symlink_to(sample / "sample.mp4")
    make(folder / name)
    more = ("-o", "out") if words[2] == "analyze" else ()
    done = run(folder, *words, *more)
    assert done.code in (1, 2), done.text
    assert name in done.text or json.dumps(name) in done.text, done.text
    assert done.peak_mb < MAX_MB


@pytest.mark.parametrize("make", [make_fifo, make_endless, make_socket], ids=lambda f: f.__name__)
def test_a_portrait_that_is_no_picture_keeps_nothing_waiting(make, sample, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gallery").mkdir()
    make(tmp_path / "gallery" / "Ada.jpg")
    words = ("--gallery", "gallery", "--fps", "2", "--stop", "0.5", "-o", "out")
    done = run(tmp_path, *ANALYZER, "analyze", str(sample / "sample.mp4"), *words)
    assert done.code == 1
    assert "Ada.jpg: not a regular file" in done.text
    assert done.peak_mb < MAX_MB


def test_the_report_of_a_day_opens(tmp_path: Path) -> None:
    """24 hours at 25 pictures a second: the bounds are for what nobody makes."""
    small = sample_report()
    rows, tracks, people = 24 * 3600 * 25, 30_000, 5_000
    times = np.arange(rows) / 25
    track_of = np.arange(rows) * tracks // rows
    table = small.observations
    repeated = ("picture_px", "detect_conf", "track_conf", "face_px")
    later = ("inside", "recognisability", "too_young")
    columns = {
        name: np.repeat(getattr(table, name)[:1], rows, axis=0)
        for name in (*repeated, *later, *QUALITIES)
    }
    random = np.random.default_rng(1)
    observations = replace(
        table,
        **columns,
        frame=np.arange(rows),
        time_s=times,
        duration_s=np.full(rows, 0.04),
        track_id=track_of,
        boxes=random.uniform(0, 500, (rows, 4)).astype(np.float32),
        embeddings=random.normal(size=(rows, 4)).astype(np.float32),
        embedding_rows=np.arange(rows),
    )
    person = small.persons[0]
    persons = tuple(
        replace(
            person,
            person_id=number,
            track_ids=tuple(range(number, tracks, people)),
            intervals=tuple((2.88 * t, 2.88 * t + 2) for t in range(number, tracks, people)),
        )
        for number in range(people)
    )
    owners = TrackPersons(
        track_ids=np.arange(tracks),
        person_ids=np.arange(tracks) % people,
        centroids=random.normal(size=(people, 4)).astype(np.float32),
    )
    day = replace(
        small,
        info=replace(small.info, duration_s=24 * 3600.0),
        observations=observations,
        identities=owners,
        persons=persons,
        row_attributes={},
        track_attributes={},
    )
    path = tmp_path / "day.report.zip"
    report_file.save(day, path, portraits=dict.fromkeys(range(tracks), b"jpeg"))
    assert len(report_file.load(path).observations) == rows
    assert len(report_file.summary(path).persons) == people
    assert len(report_file.portraits(path)) == tracks
