"""CVAT's tracks between their boxes, and the forms of lines: vtt, rttm, mot."""

from dataclasses import replace
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.export import rttm, vtt
from analyzer.inference.runtime import Runtime
from tests.support.readers import corners, of_rttm, of_vtt
from tests.support.reports import NAN, Face, make_report

BOX = (10, 20, 110, 140)


def write(name, report, folder):
    path = folder / "x"
    registry.load("export", name, runtime=Runtime()).write(report, path)
    return path


def shown(path, track=0, last=50):
    """The pictures in which CVAT shows a track, with the boxes that it fills in."""
    (element,) = (t for t in ElementTree.parse(path).iter("track") if t.get("id") == str(track))
    keys = [(int(b.get("frame")), b.get("outside") == "1", corners(b)) for b in element.iter("box")]
    assert [key[0] for key in keys] == sorted({key[0] for key in keys})
    boxes = {}
    for (frame, outside, box), (after, _, next_box) in zip(
        keys, [*keys[1:], (last, True, keys[-1][2])], strict=True
    ):
        for number in range(frame, after):
            share = (number - frame) / (after - frame)
            if not outside:
                boxes[number] = np.add(np.multiply(box, 1 - share), np.multiply(next_box, share))
    return boxes


def test_cvat_shows_a_face_as_long_as_its_samples_last(tmp_path):
    faces = [Face(frame, frame / 25, BOX) for frame in (0, 5, 20, 25)]
    assert list(shown(write("cvat", make_report(faces), tmp_path))) == [*range(10), *range(20, 30)]


def test_cvat_moves_boxes_between_samples(tmp_path):
    faces = [Face(0, 0.0, BOX), Face(5, 0.2, (20, 20, 120, 140))]
    boxes = shown(write("cvat", make_report(faces), tmp_path))
    assert boxes[0].tolist() == [10, 20, 110, 140]
    assert boxes[4].tolist() == [18, 20, 118, 140]


@pytest.mark.parametrize("source", ["face", "cut"])
def test_cvat_takes_the_number_of_the_next_picture_where_it_is_known(source, tmp_path):
    """At a variable rate, the rate tells too little."""
    faces = [Face(0, 0.0, BOX, duration_s=1.0)]
    if source == "face":
        report = make_report([*faces, Face(7, 1.0, (300, 20, 400, 140), track=1)])
    else:
        report = make_report(faces)
        rows = replace(report.observations, cuts=np.array([1.0]), cut_frames=np.array([7]))
        report = replace(report, observations=rows)
    assert list(shown(write("cvat", report, tmp_path))) == [*range(7)]


@pytest.mark.parametrize(("duration_s", "outside"), [(0.2, "0"), (10.0, "1"), (0.0, "1")])
def test_cvat_ends_no_track_behind_the_end_of_the_medium(duration_s, outside, tmp_path):
    path = write("cvat", make_report([Face(0, 0.0, BOX)], duration_s=duration_s), tmp_path)
    *_, last = ElementTree.parse(path).iter("box")
    assert last.get("outside") == outside


def test_cvat_describes_its_task(tmp_path):
    report = make_report([Face(3, 0.12, BOX)], persons={0: -1}, heads=["sex"])
    root = ElementTree.parse(write("cvat", report, tmp_path)).getroot()
    assert root.findtext("version") == "1.1"
    task = root.find("meta/task")
    assert [task.findtext(name) for name in ("size", "mode")] == ["4", "interpolation"]
    assert [e.text for e in task.find("original_size")] == ["640", "360"]
    allowed = {
        a.findtext("name"): a.findtext("values").split("\n")
        for a in task.iterfind("labels/label/attributes/attribute")
    }
    for element in root.iterfind("track/box"):
        values = {a.get("name"): a.text or "" for a in element}
        assert values == {"name": "", "sex": "m", "age": ""}
        assert values.keys() == allowed.keys()
        assert values["sex"] in allowed["sex"]


@pytest.mark.parametrize(
    "text", ["a b", "a\u00a0b\tc\n", "50%", '"x"', "<NA>", ";;", "é王😀", "\udcff"]
)
def test_rttm_fields_hold_no_blank_and_can_be_undone(text):
    field = rttm.field(text)
    assert len(field.split()) == 1
    assert not set(field) & set('"<>;')
    assert unquote(field, errors="surrogateescape") == text


@pytest.mark.parametrize(
    "pair", [("NA", "None"), ("nan", "NULL"), ("n/a", "#N/A"), ("Nat", "NaN"), ("null", "N/A")]
)
def test_rttm_names_are_no_missing_values_of_pyannotes_reader(pair, tmp_path):
    """It would make one person, `nan`, of two."""
    faces = [Face(0, 0.0, BOX), Face(25, 1.0, BOX, track=1)]
    report = make_report(faces, names=dict(enumerate(pair)), uri="NA.mp4")
    assert {name for name, *_ in of_rttm(write("rttm", report, tmp_path))} == set(pair)


def test_rttm_lines_have_ten_fields(tmp_path):
    report = make_report([Face(0, 0.844014, BOX)], names={0: "Grace Hopper"}, uri="a/my film.mp4")
    line = "SPEAKER my%20film 1 0.844 0.200 <NA> <NA> Grace%20Hopper <NA> <NA>\n"
    assert write("rttm", report, tmp_path).read_text() == line


def test_vtt_escapes_what_would_be_markup():
    assert vtt.escape("a<b>&\n\r-->") == "a&lt;b&gt;&amp;&#10;&#13;--&gt;"


def test_vtt_of_hours(tmp_path):
    text = write("vtt", make_report([Face(0, 36061.5, BOX)]), tmp_path).read_text()
    assert text.startswith("WEBVTT - who is on screen\n\n")
    assert "\n10:01:01.500 --> 10:01:01.700\nperson 0, m, 40\n" in text


@pytest.mark.parametrize(("origin", "shown_at"), [("player", 1000), ("media", 9000)])
def test_vtt_counts_from_the_start_or_the_stamps_of_the_medium(origin, shown_at, tmp_path):
    report = make_report([Face(25, 1.0, BOX)])
    report = replace(report, info=replace(report.info, start_s=8.0))
    path = tmp_path / "x.vtt"
    exporter = registry.load("export", f"vtt:origin={origin}", runtime=Runtime())
    exporter.write(report, path)
    assert of_vtt(path) == [("person 0", shown_at, shown_at + 200)]
    again = registry.load("export", exporter.spec_of(path), runtime=Runtime())
    again.write(report, tmp_path / "again.vtt")
    assert (tmp_path / "again.vtt").read_bytes() == path.read_bytes()


def test_vtt_of_stamps_needs_to_know_the_start(tmp_path):
    with pytest.raises(UsageError, match="analyse it again for vtt:origin=media"):
        write("vtt:origin=media", make_report([Face(0, 0.0, BOX)]), tmp_path)
    with pytest.raises(UsageError, match="give player or media"):
        registry.load("export", "vtt:origin=film", runtime=Runtime())


def test_mot_counts_from_one(tmp_path):
    faces = [
        Face(4, 0.2, BOX, track=2, detect_conf=NAN, track_conf=0.7),
        Face(4, 0.2, (-5, 0, 9, 9), track=1),
        Face(9, 0.4, BOX, track=1, detect_conf=NAN),
    ]
    assert write("mot", make_report(faces), tmp_path).read_text().splitlines() == [
        "5,2,-4,1,14,9,0.9000,-1,-1,-1",
        "5,3,11,21,100,120,0.7000,-1,-1,-1",
        "10,2,11,21,100,120,1.0000,-1,-1,-1",
    ]


@pytest.mark.parametrize("name", ["cvat", "mot"])
def test_boxes_are_in_the_pixels_of_the_file(name, tmp_path):
    """Of a film of 480 x 360 that is shown as 640 x 360."""
    report = make_report([Face(0, 0, (100, 40, 200, 140))], size=(640, 360))
    report = replace(report, info=replace(report.info, stored_px=(480, 360)))
    path = tmp_path / "x"
    registry.load("export", name, runtime=Runtime()).write(report, path)
    if name == "mot":
        assert path.read_text().split(",")[2:6] == ["76", "41", "75", "100"]
        return
    document = ElementTree.parse(path)
    box = document.find("track/box")
    assert [box.get(side) for side in ("xtl", "ytl", "xbr", "ybr")] == ["75", "40", "150", "140"]
    size = document.find("meta/task/original_size")
    assert [size.findtext(side) for side in ("width", "height")] == ["480", "360"]
