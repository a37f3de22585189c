"""Somebody is forgotten in what a server has published, and the server goes on as if it knew."""

import zipfile
from pathlib import Path

import matplotlib.cbook
import pytest
import skimage.data
from PIL import Image

from analyzer.reports import report_file
from tests.support import media
from tests.support.processes import run_module
from tests.support.servers import serve, table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
NAME = "Ada & Grace"
EXPORTS = {
    "csv": "csv", "ass": "ass", "mp4": "mp4", "characters": "characters.csv",
    "report": "report.zip", "names": "names.json", "exchange": "exchange.zip",
}  # fmt: skip


def test_forget_then_accept_then_resume(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    people, out = tmp_path / "people", tmp_path / "out"
    people.mkdir()
    out.mkdir()
    Image.fromarray(skimage.data.astronaut()).save(people / "astronaut.png")
    with matplotlib.cbook.get_sample_data("grace_hopper.jpg") as stream:
        Image.open(stream).save(people / f"{NAME}.png")
    row: dict[str, object] = {f"dest_{name}": out / f"film.{end}" for name, end in EXPORTS.items()}
    row |= {"source_path": sample / "sample.mp4", "gallery": people}
    options = ("--fps", "2")
    code, text = serve(tmp_path, [row], *options)
    assert code == 0, text
    assert {r["name"] for r in table(out / "film.characters.csv")} == {NAME, "astronaut"}
    joblist, ledger = tmp_path / "jobs.csv", ("--ledger", tmp_path / "jobs.ledger")
    before = report_file.load(out / "film.report.zip")

    code, text = run_module("analyzer", "forget", NAME, "--results", joblist, "--yes", cwd=tmp_path)
    assert code == 0, text
    for file in out.iterdir():
        data = [file.read_bytes()]
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                data += map(archive.read, archive.namelist())
        assert not any(b"Grace" in piece for piece in data), file
    after = report_file.load(out / "film.report.zip")
    assert len(after.observations) == len(before.observations)
    hers = next(p for p in before.persons if p.name == NAME)
    gone = len(before.observations.embeddings) - len(after.observations.embeddings)
    assert gone == hers.face_count > 0
    assert {stream.kind for stream in media.streams(out / "film.mp4")} == {"video", "audio"}

    assert run_module("jobs", "verify", *ledger, "--dry_run", cwd=tmp_path)[0] == 1
    changes = joblist.with_suffix(".changes.csv")
    code, text = run_module("jobs", "accept", *ledger, "--changes", changes, cwd=tmp_path)
    assert (code, text) == (0, "1 jobs with changed outputs accepted\n")
    code, text = run_module("jobs", "verify", *ledger, "--dry_run", cwd=tmp_path)
    assert code == 0, text
    code, text = serve(tmp_path, [row], *options)
    assert code == 0, text
    assert "1 jobs done before and skipped" in text
    assert table(out / "film.characters.csv")[1]["name"] == ""

    (out / "film.ass").write_text("spoilt")
    code, text = run_module("jobs", "accept", *ledger, "--changes", changes, cwd=tmp_path)
    assert code == 1
    assert "film.ass: not accepted" in text
    assert run_module("jobs", "verify", *ledger, "--dry_run", cwd=tmp_path)[0] == 1
