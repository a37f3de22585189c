"""All exporters side by side: names, times, boxes; no person, stills, no space; the same bytes."""

from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import ResourceError, UsageError
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from analyzer.types.people import Candidate, Poster
from tests.support import media, readers
from tests.support.analysis import analyze
from tests.support.reports import NAN, Face, make_report

FACES = (
    Face(0, 0.844014, (10.4, 20.6, 110.5, 140)),
    Face(5, 1.044014, (12, 20, 112, 140)),
    Face(5, 1.044014, (300, 20, 400, 140), track=3, detect_conf=NAN, track_conf=0.7),
    Face(15, 1.444014, (14, 20, 114, 140)),
    Face(15, 1.444014, (0, 3, 40, 50), track=7, sex=-0.5, age=1.25),
)
EVERY = registry.names("export")
NAMELESS = ("mot", "poster_crops", "shares", "shots")
"""They number persons, tracks or faces, or count them, and have no names."""
PICTURES = ("mp4", "poster_image", "crops")
"""Names are drawn there, by libass, as the subtitle's are, and by Pillow; or are those of files."""
TIMELINES = ("edl", "fcpxml", "otio")
VIDEO_ONLY = ("ass", "cvat", "eaf", "html", "mot", "mp4", "rttm", "vtt", *TIMELINES)
WRITTEN = [name for name in EVERY if name not in ("mp4", "crops")]
"""What needs no medium."""
NAMES = (
    "Grace",
    r"{\an8}x",
    "<b>bold</b>",
    "=1+1",
    "a \"b\", 'c'",
    "one\nother",
    "é 王 😀",
    "00:00:01.000 --> 00:00:02.000",
    "&amp; %41 ;;",
    "shots",
    "007",
)


def with_all(name="Grace"):
    """A report with a name wherever one can stand."""
    report = make_report(FACES, persons={0: 0, 3: 1, 7: -1}, names={0: name})
    candidate = Candidate(name=name, probability=0.9, distance=0.25)
    poster = Poster(
        path="poster.jpg",
        image=np.full((400, 300, 3), 200, np.uint8),
        boxes=np.array([[10, 50, 110, 150]], np.float32),
        scores=np.array([0.9], np.float32),
        person_ids=np.array([0]),
        distances=np.array([0.25], np.float32),
        sex=("m",),
        age=("40.0",),
    )
    first, *others = report.persons
    persons = (replace(first, candidates=(candidate,)), *others)
    return replace(report, persons=persons, poster=poster, shots=np.array([[0, 1.0], [1, 10]]))


def write(name, report, folder):
    if name == "otio":
        pytest.importorskip("opentimelineio", reason="no wheel of it for this Python")
    exporter = registry.load("export", name, runtime=Runtime())
    path = folder / f"x{exporter.suffix}"
    exporter.write(report, path)
    return path


def test_every_exporter_is_read_here_or_says_why_not():
    assert set(EVERY) == {*readers.NAMES, *NAMELESS, *PICTURES}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("exporter", readers.NAMES)
def test_names_come_out_literally(exporter, name, tmp_path):
    names = readers.NAMES[exporter](write(exporter, with_all(name), tmp_path))
    if exporter in ("ass", *TIMELINES):  # a label is one line
        name = name.replace("\n", " ")
    if exporter == "eaf" and name == "shots":  # a tier of its own
        name = "shots (2)"
    assert name in names


@pytest.mark.parametrize("exporter", WRITTEN)
def test_equal_reports_give_equal_bytes(exporter, tmp_path):
    first = write(exporter, with_all(), tmp_path).read_bytes()
    assert write(exporter, with_all(), tmp_path).read_bytes() == first


@pytest.mark.parametrize("exporter", WRITTEN)
@pytest.mark.parametrize("duration_s", [0.0, 10.0])
def test_nobody_and_no_known_end(exporter, duration_s, tmp_path):
    empty = write(exporter, make_report(duration_s=duration_s), tmp_path)
    read = {**readers.NAMES, **readers.BOXES}.get(exporter)
    if exporter not in ("exchange", "rttm", "webannotation") and read:
        assert not read(empty)
    someone = replace(with_all(), info=replace(with_all().info, duration_s=duration_s))
    assert write(exporter, someone, tmp_path).stat().st_size > 0


@pytest.mark.parametrize("exporter", [name for name in EVERY if name != "crops"])
def test_stills(exporter, tmp_path):
    stills = make_report(FACES, kind="image", engine="image", uri="=a, b.jpg", duration_s=0)
    if exporter in VIDEO_ONLY:
        with pytest.raises(UsageError, match=r"need a video; export stills as csv"):
            write(exporter, stills, tmp_path)
        assert list(tmp_path.iterdir()) == []
    else:
        assert write(exporter, stills, tmp_path).stat().st_size > 0


@pytest.mark.parametrize("exporter", WRITTEN)
def test_a_folder_that_is_not_there(exporter, tmp_path):
    with pytest.raises(ResourceError, match="cannot be written"):
        write(exporter, with_all(), tmp_path / "nowhere")


@pytest.mark.parametrize("exporter", WRITTEN)
def test_file_names_that_are_no_text(exporter, tmp_path):
    """Bytes that are no UTF-8, a line end, and a character that XML has no form for."""
    report = with_all("a\x01b")
    named = replace(report, info=replace(report.info, uri="a\udcff\n %\x02.mp4"))
    assert write(exporter, named, tmp_path).stat().st_size > 0


SHORT = ("-t", "9")


def late_start(sample: Path, folder: Path) -> Path:
    """The sample with its sound from 0 on and its picture from 0.844 s on."""
    path, given = folder / "late.mp4", sample / "sample.mp4"
    shifted = ("-itsoffset", "0.844", "-i", given)
    media.ffmpeg("-i", given, *shifted, "-map", "1:v", "-map", "0:a", "-c", "copy", *SHORT, path)
    return path


def variable_rate(sample: Path, folder: Path) -> Path:
    """The sample without two of three pictures in its middle."""
    path = folder / "variable.mp4"
    selection = "select=lt(n\\,100)+gt(n\\,200)+not(mod(n\\,3))"
    media.ffmpeg("-i", sample / "sample.mp4", "-vf", selection, "-fps_mode", "vfr", *SHORT, path)
    return path


CLIPS = {
    "sample": lambda sample, folder: sample / "sample.mp4",
    "late start": late_start,
    "variable rate": variable_rate,
}


@pytest.fixture(scope="module", params=CLIPS)
def clip(request, sample, tmp_path_factory):
    """A real report, and the medium that it is of."""
    path = CLIPS[request.param](sample, tmp_path_factory.mktemp("clip"))
    models = components.load_components(AnalysisOptions(fps=3, device="cpu"))
    return analyze(str(path), components=models), path


def times(path: Path) -> list[float]:
    return readers.table(path)["time_s"].astype(float).tolist()


def test_the_csv_has_the_players_times(clip, tmp_path):
    report, medium = clip
    clock = media.player_times(medium)
    rows = readers.table(write("csv", report, tmp_path))
    assert len(rows) > 20
    for frame, time in zip(rows["frame"].astype(int), rows["time_s"].astype(float), strict=True):
        assert abs(clock[frame] - time) < 2e-6


@pytest.mark.parametrize("exporter", readers.BOXES)
def test_boxes_are_those_of_the_csv(exporter, clip, tmp_path):
    report, _ = clip
    expected = readers.of_csv(write("csv", report, tmp_path))
    boxes = readers.BOXES[exporter](write(exporter, report, tmp_path))
    assert sorted(boxes) == sorted(expected)


@pytest.mark.parametrize("exporter", ["parquet", "xlsx"])
def test_rows_are_those_of_the_csv(exporter, clip, tmp_path):
    """Times among them, to the microsecond."""
    report, _ = clip
    expected = readers.table(write("csv", report, tmp_path))
    path = write(exporter, report, tmp_path)
    rows = readers.sheet(path, "faces") if exporter == "xlsx" else readers.parquet_rows(path)
    assert list(rows[0])[: len(expected.columns)] == expected.columns.tolist()
    for row, cells in zip(rows, expected.to_dict("records"), strict=True):
        for name, cell in cells.items():
            if name == "bbox" or cell == "":
                assert name == "bbox" or row[name] is None
            elif isinstance(row[name], str):
                assert row[name] == cell
            else:
                assert abs(row[name] - float(cell)) <= (5.1e-7 if name == "time_s" else 5.1e-5)


def test_annotations_have_the_times_and_boxes_of_the_csv(clip, tmp_path):
    report, _ = clip
    expected = readers.table(write("csv", report, tmp_path))
    fragments = readers.fragments(write("webannotation", report, tmp_path))
    assert [(start, box_of_fragment) for start, _, box_of_fragment in fragments] == [
        (float(time), readers.box(box))
        for time, box in zip(expected["time_s"], expected["bbox"], strict=True)
    ]


@pytest.mark.parametrize("exporter", readers.STRETCHES)
def test_stretches_are_those_of_the_csv(exporter, clip, tmp_path):
    """Each begins with a row's time, and they hold all of a person's rows and no other time."""
    report, _ = clip
    rows = readers.table(write("csv", report, tmp_path))
    lengths = readers.table(write("characters", report, tmp_path))
    sampled, total = defaultdict(list), {}
    for person, time in zip(rows["person_id"], rows["time_s"].astype(float), strict=True):
        sampled[f"person {person}"].append(round(time * 1000))
    for person, length in zip(lengths["person_id"], lengths["screen_time_s"], strict=True):
        total[f"person {person}"] = float(length)
    exported = defaultdict(list)
    for label, start, end in readers.STRETCHES[exporter](write(exporter, report, tmp_path)):
        exported[label].append((start, end))
    assert exported.keys() == sampled.keys() - {"person "}
    for label, stretches in exported.items():
        assert all(a[1] < b[0] for a, b in pairwise(sorted(stretches)))
        assert {start for start, _ in stretches} <= set(sampled[label])
        assert all(any(a <= time < b for a, b in stretches) for time in sampled[label])
        length_ms = sum(end - start for start, end in stretches)
        assert abs(length_ms - 1000 * total[label]) <= 2 * len(stretches)
