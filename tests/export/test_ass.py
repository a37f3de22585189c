"""The ass exporter, read back with pysubs2 and ffmpeg."""

import re
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pysubs2
import pytest

from analyzer.errors import UsageError
from analyzer.export import ass
from analyzer.export._shown import SUBTITLE_FONT, Layout
from analyzer.inference.runtime import Runtime
from tests.support.media import FFMPEG
from tests.support.reports import Face, make_report

NTSC = 1001 / 30000


def document(report, folder):
    path = folder / "x.ass.part.3.1"
    ass.create(runtime=Runtime()).write(report, path)
    return pysubs2.SSAFile.load(str(path), format_="ass")


def split(subtitle):
    """Boxes and labels of a document."""
    events = subtitle.events
    drawings = [e for e in events if "\\p1" in e.text]
    return [e for e in drawings if " m " in e.text], [e for e in events if "\\p1" not in e.text]


def position(event):
    x, y = re.search(r"\\move\((-?\d+),(-?\d+),", event.text).groups()
    return int(x), int(y)


def corners(event):
    """The box that an event draws."""
    x, y = position(event)
    width, height = map(int, re.search(r"m 0 0 l (\d+) 0 \1 (\d+) 0 \2", event.text).groups())
    return x, y, x + width, y + height


def test_header_says_the_size_of_the_picture(tmp_path):
    subtitle = document(make_report(size=(1280, 720)), tmp_path)
    assert (subtitle.info["PlayResX"], subtitle.info["PlayResY"]) == ("1280", "720")
    assert (subtitle.info["LayoutResX"], subtitle.info["LayoutResY"]) == ("1280", "720")
    assert subtitle.info["ScaledBorderAndShadow"] == "yes"
    assert subtitle.events == []


def test_a_box_and_a_label_a_face(tmp_path):
    faces = [Face(5 * k, 0.2 * k, (10.4 + k, 50.6, 110, 140), track=k % 2) for k in range(6)]
    boxes, labels = split(document(make_report(faces, names={1: "Grace"}), tmp_path))
    assert [corners(box) for box in boxes] == [(10 + k, 51, 110, 140) for k in range(6)]
    assert [re.sub(r"\{.*?\}", "", e.text) for e in labels[:2]] == [
        "person 0  m 40",
        "Grace  m 40",
    ]


def test_a_style_a_person_and_grey_for_nobody(tmp_path):
    faces = [Face(0, 0, (10, 50, 110, 140), track=k) for k in range(3)]
    subtitle = document(make_report(faces, persons={0: 0, 1: 1, 2: -1}), tmp_path)
    boxes, labels = split(subtitle)
    assert [e.style for e in boxes] == ["person 0", "person 1", "nobody"]
    assert [e.style for e in labels] == ["person 0", "person 1", "nobody"]
    colours = {name: repr(style.primarycolor) for name, style in subtitle.styles.items()}
    assert len(set(colours.values())) == 3
    assert colours["nobody"] == repr(pysubs2.Color(0xB4, 0xB4, 0xB4))


@pytest.mark.parametrize("step", [NTSC, 0.04, 6 * NTSC, 1 / 3, 0.2])
def test_events_of_a_track_follow_each_other_without_gap(step, tmp_path):
    faces = [Face(k, 0.844014 + k * step, (10, 50, 90, 90), duration_s=step) for k in range(100)]
    boxes, _ = split(document(make_report(faces), tmp_path))
    assert all(a.end == b.start for a, b in pairwise(boxes))
    assert all(0 < 1000 * face.time_s - e.start <= 11 for face, e in zip(faces, boxes, strict=True))


@pytest.mark.parametrize("step", [NTSC, 0.04, 1 / 50])
def test_each_picture_is_inside_its_own_event(step, tmp_path):
    """A renderer compares events with the picture's time, cut to milliseconds."""
    faces = [Face(k, k * step, (10, 50, 90, 90), duration_s=step) for k in range(500)]
    boxes, _ = split(document(make_report(faces), tmp_path))
    for face, event in zip(faces, boxes, strict=True):
        assert event.start <= int(1000 * face.time_s - 1e-6) < event.end or face.frame == 0


@pytest.mark.parametrize(
    ("box", "where"),
    [
        ((100, 100, 200, 200), "above"),
        ((100, 5, 200, 200), "below"),
        ((100, 5, 200, 355), "inside"),
        ((580, 100, 639, 200), "above"),
        ((-30, -30, 50, 50), "below"),
        ((600, -50, 700, 400), "inside"),
        ((-90, -90, -10, -10), "inside"),
        ((700, 400, 800, 500), "inside"),
    ],
)
def test_labels_stay_inside_the_picture(box, where, tmp_path):
    _, (label,) = split(document(make_report([Face(0, 0, box)]), tmp_path))
    (x, y), layout = position(label), Layout(640, 360, SUBTITLE_FONT)
    top, bottom = (y - layout.font, y) if "\\an1" in label.text else (y, y + layout.font)
    assert 0 <= x <= 640 - layout.text_width("person 0  m 40") + layout.outline
    assert top >= 0
    assert bottom <= 360
    if where == "above":
        assert bottom <= box[1]
    elif where == "below":
        assert top >= box[3]


def test_labels_of_a_picture_keep_off_each_other(tmp_path):
    """Neighbours, one above the other, one at the top edge, and a crowd in the next picture."""
    boxes = [(100, 100, 150, 160), (130, 102, 180, 162), (160, 5, 210, 60), (300, 5, 350, 60)]
    crowd = [(20 + 150 * column, 60 * row, 60 + 150 * column, 60 * row + 50)
             for column in range(4) for row in range(5)]  # fmt: skip
    faces = [Face(0, 0, box, track=k) for k, box in enumerate(boxes)]
    faces += [Face(5, 0.2, box, track=k) for k, box in enumerate(crowd)]
    _, labels = split(document(make_report(faces), tmp_path))
    layout = Layout(640, 360, SUBTITLE_FONT)
    taken = []
    for label in labels:
        x, y = position(label)
        top = y - layout.font if "\\an1" in label.text else y
        assert 0 <= top <= 360 - layout.font
        taken.append((label.start, x, top, x + layout.text_width(label.plaintext)))
    met = [
        (a, b)
        for k, a in enumerate(taken)
        for b in taken[:k]
        if a[0] == b[0] and a[1] < b[3] and b[1] < a[3] and abs(a[2] - b[2]) < layout.font
    ]
    assert met == []


def test_a_label_stays_where_it_is_whatever_the_order_of_the_rows(tmp_path):
    first = Face(0, 0, (100, 100, 150, 160), track=0)
    two = Face(0, 0, (130, 102, 180, 162), track=1)
    places = [
        {e.style: position(e) for e in split(document(make_report(faces), tmp_path))[1]}
        for faces in ([first, two], [two, first])
    ]
    assert places[0] == places[1]


def test_a_label_wider_than_the_picture_is_cut(tmp_path):
    face = Face(0, 0, (10, 50, 110, 140))
    _, (label,) = split(document(make_report([face], names={0: "word " * 100}), tmp_path))
    assert label.text.endswith("…")
    assert len(label.plaintext) < 100


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (r"{\an8}x", r"\{" + "\\\u2060" + r"an8\}x"),
        ("a\\Nb", "a\\\u2060Nb"),
        ("two\r\nlines\u2028x\0", "two  lines x "),
        ("<b>é, 王 😀", "<b>é, 王 😀"),
    ],
)
def test_names_are_escaped(name, written, tmp_path):
    face = Face(0, 0, (10, 50, 110, 140))
    _, (label,) = split(document(make_report([face], names={0: name}), tmp_path))
    assert label.text.partition("}")[2] == written + "  m 40"


def test_ffmpeg_reads_it_without_a_warning(tmp_path):
    faces = [Face(k, k * 0.2, (10, 50, 110, 140)) for k in range(9)]
    document(make_report(faces, names={0: r"{\an8}, <b>" + "\n😀"}), tmp_path)
    command = [FFMPEG, "-v", "warning", "-i", "x.ass.part.3.1", "-c:s", "ass", "-f", "null", "-"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_stills_are_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(UsageError, match="need a video"):
        document(make_report(kind="image", engine="image"), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.acceptance
def test_two_hours_take_under_five_seconds(tmp_path):
    faces = [
        Face(k // 5, k // 5 * 0.18, (10 + k % 400, 50, 110 + k % 400, 140), track=k // 100)
        for k in range(200_000)
    ]
    report = make_report(faces)
    start = time.perf_counter()
    ass.create(runtime=Runtime()).write(report, tmp_path / "x.ass")
    assert time.perf_counter() - start < 5


def drawn_rows(name: str, folder: Path) -> tuple[int, int]:
    """First and last row of the picture that a face of this name draws into, by libass."""
    face = Face(0, 0, (100, 150, 200, 250))
    document(make_report([face], names={0: name}), folder)
    source = "color=black:size=640x360:rate=5:duration=0.2"
    command = [FFMPEG, "-v", "error", "-f", "lavfi", "-i", source, "-vf", "ass=x.ass.part.3.1"]
    raw = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    done = subprocess.run([*command, *raw], cwd=folder, capture_output=True, check=True)
    picture = np.frombuffer(done.stdout, np.uint8).reshape(360, 640)
    rows = np.flatnonzero((picture > 40).any(axis=1))
    return int(rows[0]), int(rows[-1])


@pytest.mark.parametrize(
    "name", [r"{\fs200}Ag", r"{\pos(0,0)}Ag", r"Ag\NAg\NAg", "Ag\nAg", r"{\p1}m 0 0 l 640 360{\p0}"]
)
def test_libass_obeys_no_name(name, tmp_path):
    first, last = drawn_rows("Ag{}|", tmp_path)
    hostile = drawn_rows(name, tmp_path)
    assert abs(hostile[0] - first) <= 4
    assert hostile[1] == last


def rendered(folder: Path, options: str) -> bytes:
    """A picture of 1024 x 576, drawn by libass."""
    source = "color=gray:size=1024x576:rate=5:duration=0.2"
    command = [
        FFMPEG,
        "-v",
        "error",
        "-f",
        "lavfi",
        "-i",
        source,
        "-vf",
        f"ass=x.ass.part.3.1{options}",
    ]
    raw = ["-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    return subprocess.run([*command, *raw], cwd=folder, capture_output=True, check=True).stdout


def test_nothing_is_stretched_where_the_videos_pixels_are_not_square(tmp_path):
    """A player tells libass the stored size, 720 x 576, and shows 1024 x 576."""
    face = Face(0, 0, (400, 200, 600, 400))
    document(make_report([face], size=(1024, 576)), tmp_path)
    assert rendered(tmp_path, ":original_size=720x576") == rendered(tmp_path, "")
