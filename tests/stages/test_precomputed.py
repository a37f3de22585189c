"""Boxes from a table, and pictures that are faces as a whole."""

import csv
import shutil

import numpy as np
import pytest
from PIL import Image

from analyzer import registry
from analyzer.__main__ import main
from analyzer.errors import UsageError
from analyzer.imaging.boxes import iou
from analyzer.inference.runtime import Runtime
from tests.support import media


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def analyze(*arguments, out):
    quick = ("--export", "csv", "--device", "cpu", "--attributes", "sex")
    assert main(["analyze", *map(str, arguments), "-o", str(out), *quick]) == 0


@pytest.fixture(scope="module")
def first(sample, tmp_path_factory):
    """What the default detector finds in the sample's third and fourth second."""
    out = tmp_path_factory.mktemp("first")
    analyze(sample / "sample.mp4", "--fps", "2", "--start", "3", "--stop", "10", out=out)
    return out / "sample.csv"


@pytest.mark.parametrize("span", [(), ("--start", "3", "--stop", "10")])
def test_our_own_csv_gives_its_own_boxes(span, first, sample, tmp_path):
    precomputed = ("--detector", f"precomputed:file={first}")
    analyze(sample / "sample.mp4", "--fps", "2", *span, *precomputed, out=tmp_path)
    again = {(r["frame"], r["bbox"]): r["detect_conf"] for r in rows(tmp_path / "sample.csv")}
    before = {(r["frame"], r["bbox"]): r["detect_conf"] for r in rows(first)}
    assert len(before) >= 14
    if span:
        assert again == before
    else:  # samples lie elsewhere; where they meet, boxes do
        assert again.items() <= before.items()


def test_a_folder_has_a_table_for_each_medium(first, sample, tmp_path, capsys):
    tables = tmp_path / "tables"
    tables.mkdir()
    shutil.copy(first, tables / "sample.csv")
    other = media.video(tmp_path / "other.mp4", seconds=0.5)
    arguments = ["analyze", str(other), "-o", str(tmp_path), "--export", "csv", "--detector"]
    assert main([*arguments, f"precomputed:file={tables}"]) == 1
    assert f"no table other.csv in {tables}; put it there" in capsys.readouterr().err


def test_another_mediums_table_is_noticed(first, sample, tmp_path, capsys):
    table = tmp_path / "a.csv"
    table.write_text('frame,bbox\n0,"(400, 10, 420, 30)"\n', encoding="utf-8")
    other = media.video(tmp_path / "other.mp4", seconds=0.5)
    arguments = ["analyze", str(other), "-o", str(tmp_path), "--export", "csv", "--detector"]
    assert main([*arguments, f"precomputed:file={table}"]) == 1
    error = capsys.readouterr().err
    assert "line 2: the box lies outside the picture of 320 x 240; give this medium's own" in error
    assert error.count("\n") == 1


def test_stills_are_found_by_their_path(tmp_path):
    data = pytest.importorskip("skimage.data")
    for name in ("a", "b"):
        Image.fromarray(data.astronaut()).save(tmp_path / f"{name}.png")
    table = tmp_path / "boxes.csv"
    table.write_text(
        f'frame,bbox\n{tmp_path}/b.png,"(176, 70, 272, 184)"\n{tmp_path}/b.png,"(1,2,50.5,60)"\n'
    )
    detector = ("--detector", f"precomputed:file={table}", "--engine", "image")
    analyze(tmp_path / "a.png", tmp_path / "b.png", *detector, out=tmp_path / "out")
    table_rows = rows(tmp_path / "out" / "a.csv")
    assert [row["frame"] for row in table_rows] == [f"{tmp_path}/b.png"] * 2
    assert sorted(row["bbox"] for row in table_rows) == ["(1, 2, 50, 60)", "(176, 70, 272, 184)"]
    assert {row["detect_conf"] for row in table_rows} == {"1.0000"}


GOOD = '0,"(1, 2, 3, 4)"\n'
BAD = {
    "no header": (GOOD, "line 1: no column frame and bbox; the header needs both"),
    "no boxes": ("frame,box\n" + GOOD, "line 1: no column bbox"),
    "words": ("frame,bbox\n" + GOOD + '1,"here"\n', r'line 3: bbox \'here\': write "\(x1, y1'),
    "three": ("frame,bbox\n" + '1,"(1, 2, 3)"\n', "line 2: bbox"),
    "unquoted": ("frame,bbox\n1,(1, 2, 3, 4)\n", "line 2: bbox"),
    "inverted": ("frame,bbox\n" + '1,"(5, 2, 3, 4)"\n', "with x1 < x2 and y1 < y2"),
    "no frame": ("frame,bbox\n" + ',"(1, 2, 3, 4)"\n', "line 2: frame '': give its number"),
    "negative": ("frame,bbox\n" + '-1,"(1, 2, 3, 4)"\n', "line 2: frame '-1': give its number"),
    "seconds": ("frame,bbox\n" + '0.5,"(1, 2, 3, 4)"\n', "line 2: frame '0.5'"),
    "sure": ("frame,bbox,detect_conf\n0," + '"(1, 2, 3, 4)",high\n', "detect_conf 'high': give 0"),
    "too sure": ("frame,bbox,detect_conf\n0," + '"(1, 2, 3, 4)",12\n', "line 2: detect_conf '12'"),
    "binary": ("frame,bbox\n\udcff\n", "not a table .*; write it as CSV in UTF-8"),
}


@pytest.mark.parametrize("name", BAD)
def test_wrong_tables_are_refused_with_line_and_cure(name, tmp_path):
    text, cure = BAD[name]
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UsageError, match=cure) as refused:
        registry.load("detect", f"precomputed:file={path}", runtime=Runtime())
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("spec", ["precomputed", "precomputed:file=nonesuch.csv"])
def test_a_missing_table_is_said(spec):
    with pytest.raises(UsageError, match=r"no table .*: give it as --detector precomputed:file="):
        registry.load("detect", spec, runtime=Runtime())


def test_an_empty_folder_is_said(tmp_path):
    with pytest.raises(UsageError, match=r"no table in this folder: name them STEM.csv"):
        registry.load("detect", f"precomputed:file={tmp_path}", runtime=Runtime())


def test_posters_are_not_in_the_table(tmp_path):
    (tmp_path / "a.csv").write_text("frame,bbox\n" + GOOD)
    detector = registry.load("detect", f"precomputed:file={tmp_path}/a.csv", runtime=Runtime())
    assert detector.detect([]) == []
    with pytest.raises(UsageError, match="leave out --poster and --gallery"):
        detector.detect([np.zeros((9, 9, 3), np.uint8)])


def test_the_whole_picture_is_the_face():
    pictures = [np.zeros((30, 40, 3), np.uint8)] * 2
    detections = registry.load("detect", "whole", runtime=Runtime()).detect(pictures)
    assert [f.boxes.tolist() for f in detections] == [[[0, 0, 40, 30]]] * 2
    assert registry.load("detect", "whole", runtime=Runtime()).detect([]) == []


class TestBorder:
    """A black border lets a detector see faces that are cut off."""

    def test_boxes_are_those_of_the_picture(self, tmp_path):
        data = pytest.importorskip("skimage.data")
        Image.fromarray(data.astronaut()).save(tmp_path / "a.png")
        boxes = []
        for padding in ("0", "0.25"):
            out = tmp_path / padding
            analyze(tmp_path / "a.png", "--engine", "image", "--detect_padding", padding, out=out)
            (row,) = rows(out / "a.csv")
            boxes.append([int(v) for v in row["bbox"].strip("()").split(",")])
        a, b = np.array(boxes, np.float32)[:, None]
        assert iou(a, b)[0, 0] > 0.85

    def test_faces_that_fill_the_picture_are_found(self, tmp_path):
        data = pytest.importorskip("skimage.data")
        Image.fromarray(data.astronaut()[90:160, 185:260]).save(tmp_path / "a.png")
        media.ffmpeg("-i", tmp_path / "a.png", "-c:v", "ffv1", tmp_path / "a.mkv")
        cells = {}
        for padding in ("0", "0.5"):
            out = tmp_path / padding
            analyze(tmp_path / "a.mkv", "--detect_padding", padding, out=out)
            cells[padding] = {row["frame"]: row["bbox"] for row in rows(out / "a.csv")}
        assert cells["0"] == {}
        assert cells["0.5"]


def test_small_faces_are_left_out_by_their_share(tmp_path):
    data = pytest.importorskip("skimage.data")
    Image.fromarray(data.astronaut()).save(tmp_path / "a.png")
    for share, count in (("0.2", 1), ("0.3", 0)):  # the face is 116 of 512 pixels high
        out = tmp_path / share
        analyze(tmp_path / "a.png", "--engine", "image", "--min_face_share", share, out=out)
        assert len(rows(out / "a.csv")) == count


@pytest.mark.parametrize("option", ["min_face_share", "detect_padding"])
def test_shares_are_shares(option, tmp_path, capsys):
    assert main(["analyze", "a.mp4", "-o", str(tmp_path), f"--{option}", "15"]) == 2
    assert f"{option}: must be 0 (off) to 1, a share" in capsys.readouterr().err
