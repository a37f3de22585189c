"""Names of local results."""

import os

import pytest

from analyzer.__main__ import main
from analyzer.errors import InputError, ResourceError
from analyzer.results import write
from analyzer.workflows import inputs
from tests.support import media
from tests.support.reports import make_report


def test_a_medium_is_named_by_its_file():
    assert inputs.result_stems(["/a/film.mp4", "/a/trailer.mov"]) == ["film", "trailer"]


def test_equal_names_are_told_apart_by_their_folders():
    paths = ["/x/a/film.mp4", "/x/b/film.mp4", "/x/b/other.mp4"]
    assert inputs.result_stems(paths) == ["a_film", "b_film", "other"]


def test_equal_names_in_equal_folders_go_further_up():
    assert inputs.result_stems(["/x/a/f.mp4", "/y/a/f.mp4"]) == ["x_a_f", "y_a_f"]


def test_equal_names_with_other_suffixes():
    names = inputs.result_stems(["/a/film.mp4", "/a/film.mkv", "/a/FILM.mp4"])
    assert len({n.casefold() for n in names}) == 3


def test_folders_stand_for_their_videos(tmp_path):
    for name in ("b.mp4", "a.MKV", "notes.txt"):
        (tmp_path / name).touch()
    assert [os.path.basename(p) for p in inputs.media_in([str(tmp_path)])] == ["a.MKV", "b.mp4"]
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no video"):
        inputs.media_in([str(tmp_path / "none")])


class Writer:
    suffix = ".txt"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def write(self, report, path, progress=None):
        path.write_text("half")
        if self.error:
            raise self.error


def test_no_half_file_is_left(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with pytest.raises(ResourceError, match="No space"):
        write.write_export(Writer(OSError(28, "No space left on device")), make_report(), path)
    assert list(path.parent.iterdir()) == []
    write.write_export(Writer(), make_report(), path)
    assert path.read_text() == "half"
    assert len(list(path.parent.iterdir())) == 1


def test_what_is_left_out_of_a_folder_is_told(tmp_path):
    for name in ("b.m2v", "a.y4m", "c.qt", "notes.txt", "d.jpg", ".hidden", "._b.m2v"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    notes = []
    assert len(inputs.media_in([str(tmp_path)], notes)) == 3
    assert notes == [
        f"{tmp_path}: 2 files are left out, by their names no videos: d.jpg, notes.txt"
    ]
    notes = []
    for number in range(9):
        (tmp_path / f"{number}.srt").touch()
    inputs.media_in([str(tmp_path)], notes)
    assert "11 files are left out" in notes[0]
    assert notes[0].endswith("0.srt, 1.srt, 2.srt, 3.srt, 4.srt, ...")


def test_what_is_left_out_is_printed(tmp_path, capsys):
    media.video(tmp_path / "a.mp4", seconds=0.5)
    (tmp_path / "notes.txt").touch()
    arguments = ["-o", str(tmp_path / "out"), "--export", "csv", "--fps", "1", "--shots", "none"]
    assert main(["analyze", str(tmp_path), *arguments]) == 0
    assert "1 files are left out, by their names no videos: notes.txt" in capsys.readouterr().err
