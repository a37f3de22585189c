"""What is made of a report, or of a table of faces and its video, without a new analysis."""

import csv
import dataclasses
from pathlib import Path

import numpy as np
import pandas
import pytest

from analyzer import analyze, dataframe, read, recluster, write
from analyzer.__main__ import main
from analyzer.errors import InputError, UsageError
from analyzer.types import MediaReport
from tests.support.media import ffmpeg, video

# As inaFaceAnalyzer 0.6 writes it.
OLDER = """frame,bbox,face_id,detect_conf,track_conf,sex_decfunc,age_decfunc,sex_label,age_label,\
sex_decfunc_avg,age_decfunc_avg,sex_label_avg,age_label_avg
0,"(10, 20, 60, 80)",0,0.9,,-3.1,3.2,f,27.0,-3.0,3.1,f,26.5
5,"(12, 20, 62, 80)",0,,8.5,-3.1,3.2,f,27.0,-3.0,3.1,f,26.5
5,"(150, 30, 190, 90)",1,0.8,,2.0,4.0,m,35.0,2.0,4.0,m,35.0
"""


@pytest.fixture(scope="module")
def film(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first 6 seconds of the sample: two people."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    ffmpeg("-i", sample / "sample.mp4", "-t", "6", "-c:v", "libx264", "-preset", "ultrafast", path)
    return path


@pytest.fixture(scope="module")
def report(film: Path) -> MediaReport:
    return analyze(film, fps=5)


def persons(report: MediaReport) -> list[tuple[int, ...]]:
    return sorted(person.track_ids for person in report.persons)


def test_the_same_threshold_gives_the_same_persons(report: MediaReport) -> None:
    again = recluster(report)
    assert again.persons == report.persons
    assert again.provenance["options_digest"] == report.provenance["options_digest"]
    np.testing.assert_array_equal(again.row_persons(), report.row_persons())


def test_a_threshold_and_a_clusterer_change_who_is_who(report: MediaReport) -> None:
    assert len(report.persons) == 2
    one = recluster(report, threshold=1.3, clusterer="agglomerative")
    assert one.provenance["cluster_threshold"] == 1.3
    assert one.provenance["options"]["clusterer"] == "agglomerative"
    many = recluster(report, threshold=0.001)
    assert len(one.persons) <= 2 <= len(many.persons)
    assert persons(recluster(many, threshold=report.provenance["cluster_threshold"])) == (
        persons(report)
    )


def test_names_stay_with_most_of_their_faces(report: MediaReport) -> None:
    named = dataclasses.replace(
        report,
        persons=tuple(dataclasses.replace(p, name=f"name {p.person_id}") for p in report.persons),
    )
    assert {p.name for p in recluster(named).persons} == {"name 0", "name 1"}
    names = [p.name for p in recluster(named, threshold=0.001).persons if p.name]
    assert sorted(names) == ["name 0", "name 1"], "each once"


@pytest.mark.parametrize("choice", ["unnamed", "named", "Ada"])
def test_faces_hidden_by_names_do_not_come_to_light(report: MediaReport, choice: str) -> None:
    hidden = {"options": {**report.provenance["options"], "anonymise": choice}}
    with pytest.raises(UsageError, match="analyse the medium again"):
        recluster(dataclasses.replace(report, provenance={**report.provenance, **hidden}))
    hidden["options"]["anonymise"] = "all"
    recluster(dataclasses.replace(report, provenance={**report.provenance, **hidden}))


def test_a_wrong_clusterer_is_told(report: MediaReport, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are: agglomerative"):
        recluster(report, clusterer="nonesuch")
    assert main(["recluster", str(tmp_path), "--cluster_threshold", "0"]) == 2
    assert main(["recluster", str(tmp_path)]) == 2


def test_results_are_made_anew_by_a_command(film: Path, tmp_path: Path, capsys) -> None:
    out = tmp_path / "out"
    exports = ["--export", "csv,characters,report", "--fps", "5"]
    assert main(["analyze", str(film), "-o", str(out), *exports]) == 0
    before = (out / "film.characters.csv").read_text()
    capsys.readouterr()
    few = ["--cluster_threshold", "0.001"]
    assert main(["recluster", str(out / "film.report.zip"), *few, "--dry_run"]) == 0
    assert "persons 2 -> " in capsys.readouterr().out
    assert (out / "film.characters.csv").read_text() == before
    assert main(["recluster", str(out), *few]) == 0
    assert read(out / "film.report.zip").provenance["cluster_threshold"] == 0.001
    assert main(["recluster", str(out), "--cluster_threshold", "0.45"]) == 0
    assert (out / "film.characters.csv").read_text() == before


def test_a_subtitle_of_a_table_of_inafaceanalyzer(tmp_path: Path, capsys) -> None:
    film = video(tmp_path / "clip.mp4", rate="10", seconds=1)
    table = tmp_path / "old.csv"
    table.write_text(OLDER)
    command = ["export", str(table), "--medium", str(film), "--export", "ass,vtt,mp4"]
    assert main([*command, "-o", str(tmp_path / "out")]) == 0
    text = (tmp_path / "out" / "old.ass").read_text()
    assert text.count("Dialogue: 0,") == 3
    assert "person 0  f 26" in text
    assert "person 1  m 35" in text
    assert "0:00:00.49,0:00:00.99" in text
    assert (tmp_path / "out" / "old.mp4").stat().st_size
    assert "old.vtt" in capsys.readouterr().out
    assert main(["export", str(table), "--export", "ass", "-o", str(tmp_path)]) == 2
    assert "which video is it of? Give it with --medium" in capsys.readouterr().err


def test_a_table_of_this_program_comes_back(
    film: Path, report: MediaReport, tmp_path: Path
) -> None:
    write(report, tmp_path / "film.csv")
    again = read(tmp_path / "film.csv", medium=film)
    ours, theirs = dataframe(report), dataframe(again)
    columns = [c for c in ours if c not in ("sharpness", "frontality")]
    pandas.testing.assert_frame_equal(ours[columns], theirs[columns], atol=1e-3)
    times = [round(p.screen_time_s, 1) for p in again.persons]
    assert times == pytest.approx([p.screen_time_s for p in report.persons], abs=0.3)
    with pytest.raises(UsageError, match="no embeddings"):
        recluster(again)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a,b\n1,2\n", "no columns frame and bbox"),
        ('frame,bbox\nx,"(1, 2, 3, 4)"\n', "frame 'x' is no number"),
        ("frame,bbox\n0,here\n", "write"),
    ],
)
def test_no_table_of_faces_is_told(tmp_path: Path, text: str, says: str) -> None:
    film = video(tmp_path / "clip.mp4", seconds=0.2)
    (tmp_path / "a.csv").write_text(text)
    with pytest.raises(UsageError, match=says):
        read(tmp_path / "a.csv", medium=film)
    with pytest.raises(UsageError, match="no such file"):
        read(tmp_path / "none.csv", medium=film)


def test_a_table_of_a_longer_video_is_told(tmp_path: Path) -> None:
    film = video(tmp_path / "clip.mp4", rate="10", seconds=0.3)
    (tmp_path / "a.csv").write_text(OLDER)
    with pytest.raises(InputError, match="has no frame 5"):
        read(tmp_path / "a.csv", medium=film)


def test_an_empty_table_has_nobody(tmp_path: Path) -> None:
    film = video(tmp_path / "clip.mp4", seconds=0.2)
    (tmp_path / "a.csv").write_text(OLDER.splitlines()[0] + "\n")
    assert read(tmp_path / "a.csv", medium=film).persons == ()
    with (tmp_path / "b.csv").open("w", newline="") as stream:
        csv.writer(stream).writerow(["frame", "bbox"])
    write(read(tmp_path / "b.csv", medium=film), tmp_path / "b.ass")
