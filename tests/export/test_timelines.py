"""Timelines for editing programs, read back by OpenTimelineIO and held against FCPXML's rules."""

import logging
import random
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from analyzer import registry
from analyzer.export._timecode import timecode_of
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions
from analyzer.pipeline import components
from tests.support import media
from tests.support.analysis import analyze
from tests.support.reports import Face, make_report

otio = pytest.importorskip("opentimelineio", reason="no wheel of it for this Python")
opentime = otio.opentime
RULES = etree.RelaxNG(etree.parse(Path(__file__).with_name("fcpxml.rng")))
BOX = (10, 20, 110, 140)
NTSC, FILM = Fraction(30000, 1001), Fraction(24000, 1001)
KINDS = [
    (Fraction(25), "10:00:00:00"),
    (FILM, "01:00:00:00"),
    (NTSC, "00:59:59;20"),
    (NTSC, "00:59:59:20"),
    (NTSC * 2, "01:00:00;02"),
    (Fraction(25), None),
]
SPANS = {"Grace": [(50, 110), (400, 455)], "person 1": [(50, 60), (455, 500)]}
"""Appearances in frames: the end is the first frame without the person."""


def whole(rate, timecode, *, first_s=0.0, step=5):
    """A report of the appearances of `SPANS`; its clock shows `first_s` at the first picture."""
    faces = [
        Face(frame, first_s + float(frame / rate), BOX, track=track, duration_s=float(5 / rate))
        for track, spans in enumerate(SPANS.values())
        for start, end in spans
        for frame in range(start, end, step)
    ]
    report = make_report(sorted(faces, key=lambda face: face.frame), names={0: "Grace"},
                         duration_s=first_s + float(600 / rate))  # fmt: skip
    table = replace(report.observations, span_s=np.array([first_s, report.info.duration_s]))
    info = replace(report.info, frame_rate=rate, timecode=timecode)
    return replace(report, info=info, observations=table)


def write(spec, report, folder):
    exporter = registry.load("export", spec, runtime=Runtime())
    path = folder / f"x{exporter.suffix}"
    exporter.write(report, path)
    return path


def frames(text, rate):
    """A timecode as OpenTimelineIO counts it; without one, 0."""
    return opentime.from_timecode(text, float(rate)).to_frames() if text else 0


def of_otio(timeline, start):
    """Appearances by track: frames of the medium, and of the timeline, from its begin on."""
    found = {}
    for track in timeline.tracks:
        for clip in track.find_clips():
            source = clip.source_range
            at = track.range_of_child(clip).start_time.to_frames()
            begin = source.start_time.to_frames() - start
            stretch = (begin, begin + source.duration.to_frames(), at)
            found.setdefault(track.name, []).append(stretch)
    return found


def of_fcpxml(path, rate, start):
    root = etree.parse(path).getroot()
    RULES.assertValid(root)
    clips = {}
    for clip in root.iter("asset-clip"):
        numbers = [Fraction(clip.get(n)[:-1]) * rate for n in ("start", "duration", "offset")]
        assert all(number.denominator == 1 for number in numbers)
        begin, length, offset = map(int, numbers)
        stretch = (begin - start, begin - start + length, offset)
        clips.setdefault(clip.get("name"), []).append(stretch)
    return root, clips


def stretches(found):
    return {name: [clip[:2] for clip in clips] for name, clips in found.items()}


@pytest.mark.parametrize(("rate", "timecode"), KINDS)
@pytest.mark.parametrize("first_s", [0.0, 0.844])
def test_otio_has_the_appearances_to_the_frame(rate, timecode, first_s, tmp_path):
    path = write("otio", whole(rate, timecode, first_s=first_s), tmp_path)
    timeline = otio.adapters.read_from_file(str(path), "otio_json")
    start = frames(timecode, rate)
    found = of_otio(timeline, start)
    assert stretches(found) == SPANS
    assert all(clip[0] == clip[2] for clips in found.values() for clip in clips)
    assert timeline.global_start_time == opentime.RationalTime(start, float(rate))
    clip, *_ = timeline.find_clips()
    reference = clip.media_reference
    assert reference.target_url.endswith("/clip.mp4")
    assert reference.available_range.start_time.to_frames() == start
    assert reference.available_range.duration.to_frames() == 600


@pytest.mark.parametrize(("rate", "timecode"), KINDS)
@pytest.mark.parametrize("first_s", [0.0, 0.844])
def test_edl_has_the_appearances_to_the_frame(rate, timecode, first_s, tmp_path):
    path = write("edl", whole(rate, timecode, first_s=first_s), tmp_path)
    text = path.read_text()
    is_drop = ";" in (timecode or "")
    assert ("FCM: DROP FRAME" in text) == is_drop
    assert (";" in text) == is_drop
    timeline = otio.adapters.read_from_string(text, "cmx_3600", rate=float(rate))
    found = of_otio(timeline, frames(timecode, rate))
    assert list(found) == ["V", "V2"]
    assert list(stretches(found).values()) == list(SPANS.values())
    names = {c.metadata["cmx_3600"]["comments"][0] for c in timeline.find_clips()}
    assert names == {"COMMENT: Grace", "COMMENT: person 1"}
    assert {clip.name for clip in timeline.find_clips()} == {"clip.mp4"}


@pytest.mark.parametrize(("rate", "timecode"), KINDS)
@pytest.mark.parametrize("first_s", [0.0, 0.844])
def test_fcpxml_has_the_appearances_to_the_frame(rate, timecode, first_s, tmp_path):
    path = write("fcpxml", whole(rate, timecode, first_s=first_s), tmp_path)
    start = frames(timecode, rate)
    root, found = of_fcpxml(path, rate, start)
    assert stretches(found) == SPANS
    assert all(clip[0] + start == clip[2] for clips in found.values() for clip in clips)
    asset, sequence, gap = (next(root.iter(name)) for name in ("asset", "sequence", "gap"))
    assert Fraction(asset.get("start")[:-1]) * rate == start
    assert Fraction(asset.get("duration")[:-1]) * rate == 600
    assert sequence.get("tcFormat") == ("DF" if ";" in (timecode or "") else "NDF")
    assert sequence.get("tcStart") == gap.get("offset") == gap.get("start") == asset.get("start")
    assert [clip.get("lane") for clip in root.iter("asset-clip")] == ["1", "1", "2", "2"]


@pytest.mark.parametrize("person", ["Grace", "0", "person 1", "1"])
@pytest.mark.parametrize(("rate", "timecode"), KINDS)
def test_a_cut_list_has_one_person_from_one_hour_on(rate, timecode, person, tmp_path):
    report, start = whole(rate, timecode), frames(timecode, rate)
    name = "Grace" if person in ("Grace", "0") else "person 1"
    hour = timecode_of(rate, timecode).frames("01:00:00:00")
    (a, b), (c, d) = SPANS[name]
    path = write(f"otio:person={person}", report, tmp_path)
    timeline = otio.adapters.read_from_file(str(path), "otio_json")
    assert of_otio(timeline, start) == {name: [(a, b, 0), (c, d, b - a)]}
    assert timeline.global_start_time.to_frames() == hour
    path = write(f"edl:person={person}", report, tmp_path)
    timeline = otio.adapters.read_from_file(str(path), "cmx_3600", rate=float(rate))
    assert of_otio(timeline, start) == {"V": [(a, b, 0), (c, d, b - a)]}
    (event, *_) = (line.split() for line in path.read_text().splitlines() if line[:3] == "001")
    assert event[6].replace(";", ":") == "01:00:00:00"
    path = write(f"fcpxml:person={person}", report, tmp_path)
    root, found = of_fcpxml(path, rate, start)
    assert found == {name: [(a, b, hour), (c, d, hour + b - a)]}
    sequence = next(root.iter("sequence"))
    assert Fraction(sequence.get("duration")[:-1]) * rate == b - a + d - c


@pytest.mark.parametrize("exporter", ["edl", "otio", "fcpxml"])
def test_a_cut_list_is_made_again_for_the_same_person(exporter, tmp_path):
    report = whole(Fraction(25), None)
    for spec in (exporter, f"{exporter}:person=Grace", f"{exporter}:person=person 1"):
        path = write(spec, report, tmp_path)
        assert registry.load("export", exporter, runtime=Runtime()).spec_of(path) == spec
    path.write_text("{[<no")
    assert registry.load("export", exporter, runtime=Runtime()).spec_of(path) == exporter


@pytest.mark.parametrize("exporter", ["edl", "otio", "fcpxml"])
def test_a_person_who_is_not_there_gives_an_empty_list_and_a_warning(exporter, tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        path = write(f"{exporter}:person=Ada", whole(Fraction(25), None), tmp_path)
    message = "clip.mp4: nobody is called Ada: the cut list is empty; there are: Grace, person 1"
    assert caplog.messages == [message]
    assert "Grace" not in path.read_text()


def test_two_persons_of_one_name_are_one_in_a_cut_list(tmp_path):
    report = whole(Fraction(25), None)
    first, second = report.persons
    report = replace(report, persons=(first, replace(second, name="Grace")))
    path = write("otio:person=Grace", report, tmp_path)
    found = of_otio(otio.adapters.read_from_file(str(path), "otio_json"), 0)
    assert stretches(found) == {"Grace": [(50, 110), (400, 500)]}


@pytest.mark.parametrize(
    ("rate", "start"), [(NTSC, ";"), (NTSC, ":"), (2 * NTSC, ";"), (FILM, ":"), (25, ":")]
)
def test_timecodes_are_those_of_opentimelineio(rate, start):
    counts = timecode_of(Fraction(rate), f"00:00:00{start}00")
    numbers = random.Random(1)
    for number in [*range(0, 40_000, 7), *(numbers.randrange(2_000_000) for _ in range(500))]:
        text = counts.text(number)
        time = opentime.RationalTime(number, float(rate))
        assert text == opentime.to_timecode(time, float(rate), start == ";")
        assert counts.frames(text) == number


def test_rates_are_the_usual_ones_however_they_are_written():
    rates = {"2398/100": FILM, "2997/100": NTSC, "25": 25, "24": 24, "25/2": Fraction(25, 2)}
    assert {text: timecode_of(Fraction(text), None).rate for text in rates} == rates
    assert not timecode_of(FILM, "01:00:00;00").drop
    assert timecode_of(None, "no timecode").text(30) == "00:00:01:05"
    assert timecode_of(Fraction(25, 2), None).text(26) == "00:00:02:02"


MADE = {
    "tmcd.mov": (("-timecode", "00:59:59;20"), "30000/1001", "00:59:59;20"),
    "tmcd.mp4": (("-timecode", "10:00:00:00"), "25", "10:00:00:00"),
    "film.mxf": (("-timecode", "01:00:00:00", "-c:v", "mpeg2video"), "25", "01:00:00:00"),
    "tag.mkv": (("-metadata", "timecode=01:02:03:04"), "24000/1001", "01:02:03:04"),
    "late.ts": (("-output_ts_offset", "8"), "25", None),
    "plain.mp4": ((), "25", None),
}


@pytest.fixture(scope="module")
def models():
    return components.load_components(AnalysisOptions(fps=3, device="cpu"))


@pytest.mark.parametrize("name", MADE)
def test_the_source_timecode_is_read_from_the_container(name, sample, models, tmp_path):
    """Of a container that starts at 8 s, the first picture has the number 0 all the same."""
    options, rate, expected = MADE[name]
    path = tmp_path / name
    filters = f"fps={rate},scale=320:-2"
    clip = ("-ss", "2", "-t", "1", "-i", sample / "sample.mp4", "-an", "-vf", filters)
    media.ffmpeg(*clip, *options, path)
    report = analyze(str(path), components=models)
    assert report.info.timecode == expected
    document = otio.adapters.read_from_file(str(write("otio", report, tmp_path)), "otio_json")
    start = document.global_start_time
    assert opentime.to_timecode(start, start.rate, ";" in (expected or "")) == (
        expected or "00:00:00:00"
    )
    lengths = [
        clip.media_reference.available_range.duration.value for clip in document.find_clips()
    ]
    assert lengths
    assert abs(lengths[0] - float(Fraction(rate))) <= 1
    first = min(clip.source_range.start_time for clip in document.find_clips())
    assert first.value - start.value == report.observations.frame.min()
