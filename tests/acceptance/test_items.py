"""Trailer and poster of a title in one call, on a real video and pictures cut out of it."""

import shutil
from pathlib import Path

import pytest

from analyzer.__main__ import main
from tests.support.media import ffmpeg
from tests.support.servers import table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
FAST = ("--fps", "2", "--stop", "7")


@pytest.fixture(scope="module")
def titles(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of titles: a whole one with two posters, and two that lack one thing."""
    out = tmp_path_factory.mktemp("titles")
    for name in ("both", "trailer", "poster"):
        (out / name).mkdir()
    for name in ("both", "trailer"):
        shutil.copy(sample / "sample.mp4", out / name / "film.mp4")
    for second, name in ((1, "early.jpg"), (5, "late.png")):
        ffmpeg(
            "-ss", str(second), "-i", sample / "sample.mp4", "-frames:v", "1", out / "both" / name
        )
    shutil.copy(out / "both" / "early.jpg", out / "poster")
    return out


def test_folders(titles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folders = [str(titles / name) for name in ("both", "trailer", "poster")]
    exports = ["--export", "csv,characters,posters,poster_image"]
    assert main(["analyze", "--item", *folders, "-o", str(tmp_path), *exports, *FAST]) == 1
    errors = capsys.readouterr().err
    assert "medium skipped" in errors
    assert "no video in this folder" in errors
    assert "poster skipped" in errors
    assert "no picture in this folder" in errors
    owners = {row["time_s"][:1]: row["person_id"] for row in table(tmp_path / "both.csv")}
    (early,) = table(tmp_path / "both.early_jpg.posters.csv")
    assert early["person_id"] == owners["1"]
    (late,) = table(tmp_path / "both.late_png.posters.csv")
    assert late["person_id"] == owners["5"] != owners["1"]
    assert len(table(tmp_path / "trailer.csv")) == len(table(tmp_path / "both.csv")) > 0
    (alone,) = table(tmp_path / "poster.posters.csv")
    assert (alone["person_id"], table(tmp_path / "poster.csv")) == ("", [])
    assert not (tmp_path / "poster.characters.csv").exists()


def test_a_row_of_a_joblist(titles: Path, tmp_path: Path) -> None:
    film, picture = titles / "both" / "film.mp4", titles / "both" / "early.jpg"
    rows = [
        f"{film},{picture},{name},{tmp_path}/{name}.csv,{tmp_path}/{name}.p.csv"
        for name in ("t1", "t2")
    ]
    joblist = tmp_path / "jobs.csv"
    header = "source_path,poster_path,item_id,dest_csv,dest_posters"
    joblist.write_text("\n".join([header, *rows, ""]))
    assert main(["analyze", str(joblist), "--item", "t2", *FAST]) == 0
    assert [len(table(tmp_path / f"t2.{end}")) for end in ("csv", "p.csv")] > [0, 0]
    assert not (tmp_path / "t1.csv").exists()
    assert main(["analyze", str(joblist), "--rows", "1:1", *FAST]) == 0
    assert (tmp_path / "t1.csv").read_bytes() == (tmp_path / "t2.csv").read_bytes()
