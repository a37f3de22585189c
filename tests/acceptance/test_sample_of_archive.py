"""From a catalogue to shares: planned, served in segments to two workers, estimated."""

import csv
import json
from pathlib import Path

import pytest

from analyzer.__main__ import main
from tests.support import media
from tests.support.servers import serve_file, table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300)]
OPTIONS = ("--fps", "2")


def seconds(path: Path) -> float:
    """Seconds of faces in a report."""
    document = json.loads(path.read_text())
    pieces = [piece for track in document["tracks"] for piece in track["intervals_s"]]
    return sum(end - start for start, end in pieces)


@pytest.fixture(scope="module")
def archive(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of the sample and a film without a face, its whole analysis, and all segments."""
    folder = tmp_path_factory.mktemp("archive")
    empty = media.video(folder / "empty.mp4", seconds=8)
    films = {sample / "sample.mp4": 17, empty: 8}
    with (folder / "archive.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["source_path", "duration_s", "channel"])
        rows.writerows([str(film), length, "one"] for film, length in films.items())
    whole = [str(sample / "sample.mp4"), "-o", str(folder / "whole"), "--export", "csv,json"]
    assert main(["analyze", *whole, *OPTIONS]) == 0
    return folder


def plan(folder: Path, name: str, *options: str) -> Path:
    joblist = folder / f"{name}.csv"
    words = [str(folder / "archive.csv"), "-o", str(joblist), "--results", str(folder / name)]
    assert main(["plan", *words, "--segment_s", "4", *options]) == 0
    return joblist


def test_segments_add_up_to_the_film(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    joblist = plan(archive, "all", "--segments", "1000")
    code, text = serve_file(joblist, *OPTIONS, "--workers", "2")
    assert code == 0, text
    rows = table(joblist)
    of_sample = [row for row in rows if "sample.mp4" in row["source_path"]]
    assert [(row["start_s"], row["stop_s"]) for row in of_sample][:2] == [
        ("0.000", "4.250"),
        ("4.250", "8.500"),
    ]
    whole = table(archive / "whole" / "sample.csv")
    pieces = [face for row in of_sample for face in table(Path(row["dest_csv"]))]
    for row in of_sample:
        times = [float(face["time_s"]) for face in table(Path(row["dest_csv"]))]
        assert all(float(row["start_s"]) <= time < float(row["stop_s"]) for time in times)
    assert len(pieces) == len(whole)
    parts_s = sum(seconds(Path(row["dest_json"])) for row in of_sample)
    whole_s = seconds(archive / "whole" / "sample.report.json")
    assert parts_s == pytest.approx(whole_s, abs=1e-6 * len(whole))
    capsys.readouterr()
    assert main(["estimate", str(joblist)]) == 0
    assert "all of the archive, so that no lot has decided" in capsys.readouterr().out


def test_a_sample_is_done_by_one_command_too(archive: Path) -> None:
    """As by the server: the segments, the files, the range in the report."""
    joblist = plan(archive, "some", "--segments", "3", "--seed", "1")
    assert main(["analyze", str(joblist), *OPTIONS]) == 0
    for row in table(joblist):
        options = json.loads(Path(row["dest_json"]).read_text())["options"]
        assert options["start"] == float(row["start_s"])
        assert options["stop"] == float(row["stop_s"])
        assert options["fps"] == 2
