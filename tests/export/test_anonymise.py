"""Anonymised videos: who is hidden, where and when, and what is left as it was."""

import re
from dataclasses import replace

import av
import numpy as np
import pytest

from analyzer.errors import AnalyzerError, InputError, UsageError
from analyzer.export import _anonymity, _cover, _subtitles, mp4
from analyzer.inference.runtime import Runtime
from analyzer.options import AnalysisOptions, anonymise
from analyzer.pipeline import components
from analyzer.types.people import Gallery
from tests.support import media
from tests.support.analysis import analyze
from tests.support.reports import Face, make_report

SIZE = (640, 360)
STEP_S = 0.2


@pytest.mark.parametrize(
    ("choice", "name", "hidden"),
    [
        (None, "Grace", False),
        ("all", "Grace", True),
        ("all", None, True),
        ("named", "Grace", True),
        ("named", None, False),
        ("unnamed", "Grace", False),
        ("unnamed", None, True),
        ("Ada, grace", "Grace", True),
        ("Ada", "Grace", False),
        ("Ada", None, False),
        ("Ada,Hopper,Grace", "Hopper, Grace", True),
    ],
)
def test_whose_faces_are_hidden(choice, name, hidden):
    assert anonymise.hides(choice, name) is hidden


@pytest.mark.parametrize(
    ("choice", "missing"),
    [("all", []), ("grace", []), ("Grace,Hopper, Grace", []), ("grcae,Grace,x", ["grcae", "x"])],
)
def test_names_that_nobody_has(choice, missing):
    assert anonymise.unknown(choice, ["Grace", "Hopper, Grace"]) == missing


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ({"engine": "video"}, "does not follow faces"),
        ({"engine": "videokeyframes"}, "does not follow faces"),
        ({"min_area": 0.01, "min_sharpness": 0.2}, "min_area, min_sharpness would leave faces out"),
        ({"blur_gate": "var=100"}, "blur_gate would leave faces out"),
        ({"anonymise": " , "}, "all, unnamed, named, or names"),
    ],
)
def test_options_that_would_leave_faces_bare(others, message):
    with pytest.raises(UsageError, match=message):
        AnalysisOptions(**{"anonymise": "all", **others})


def test_it_changes_results():
    different = {AnalysisOptions(anonymise=choice).digest() for choice in (None, "all", "named")}
    assert len(different) == 3


@pytest.mark.parametrize(
    ("choice", "gallery", "message"),
    [
        ("named", None, "only a gallery tells"),
        ("Grace", None, "give one"),
        ("Grcae", ["Grace"], "grcae: not in the gallery, which has Grace"),
    ],
)
def test_names_need_a_gallery_that_has_them(choice, gallery, message):
    models = components.load_components(AnalysisOptions(anonymise=choice, device="cpu"))
    vectors = np.eye(1, 128, dtype=np.float32)
    portraits = gallery and Gallery(names=tuple(gallery), embeddings=vectors)
    with pytest.raises(UsageError, match=message):
        analyze("missing.mp4", components=models, gallery=portraits)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """Three seconds of a fine pattern, with names in its tags, a chapter and sound."""
    folder = tmp_path_factory.mktemp("clip")
    tags = folder / "tags.txt"
    tags.write_text(
        ";FFMETADATA1\ntitle=Grace Hopper\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=2\ntitle=Grace\n"
    )
    path = folder / "clip.mp4"
    pattern = f"testsrc2=rate=25:size={SIZE[0]}x{SIZE[1]}:duration=3,noise=alls=60"
    media.ffmpeg(
        "-f", "lavfi", "-i", pattern, "-f", "lavfi", "-i", "sine=duration=3", "-i", tags,
        "-map_metadata", "2", "-metadata:s:a", "handler_name=Grace", "-pix_fmt", "yuv420p",
        "-c:v", "libx264", "-crf", "12", "-c:a", "aac", path,
    )  # fmt: skip
    return path


def way(time_s):
    """Where a face is that crosses the picture in three seconds."""
    x = 40 + 150 * time_s
    return x, 100.0, x + 60, 180.0


def report_of(path, choice, faces=None, **options):
    if faces is None:
        moving = [Face(5 * k, STEP_S * k, way(STEP_S * k)) for k in range(15)]
        faces = [*moving, Face(0, 0, (500, 250, 560, 330), track=1, duration_s=3)]
    report = make_report(faces, uri=str(path), duration_s=3.0, names={1: "Grace"})
    table = replace(report.observations, span_s=np.array(options.pop("span_s", (0.0, 3.0))))
    chosen = {**report.provenance["options"], "anonymise": choice, **options}
    return replace(report, observations=table, provenance={"options": chosen})


def pictures(path):
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24").astype(float) for f in container.decode(video=0)]


def export(report, target):
    mp4.create(crf=10, runtime=Runtime()).write(report, target)
    return pictures(target)


def detail(picture, box):
    """How much a part of a picture changes from one pixel to the next."""
    x1, y1, x2, y2 = (round(edge) for edge in box)
    return np.abs(np.diff(picture[y1:y2, x1:x2], axis=1)).mean()


def outside(picture, *boxes, margin):
    """The pixels that are well away from boxes."""
    keep = np.ones(picture.shape[:2], bool)
    for x1, y1, x2, y2 in boxes:
        keep[max(0, round(y1) - margin) : round(y2) + margin,
             max(0, round(x1) - margin) : round(x2) + margin] = False  # fmt: skip
    return picture[keep]


def test_a_moving_face_is_lost_in_every_picture_and_nothing_else(clip, tmp_path):
    before = pictures(clip)
    after = export(report_of(clip, "unnamed"), tmp_path / "x.mp4")
    assert len(after) == len(before) == 75
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        box = way(number / 25)
        assert detail(new, box) < 0.15 * detail(old, box), number
        far = [outside(p, box, (470, 200, 639, 359), margin=90) for p in (old, new)]
        error = np.square(far[0] - far[1]).mean()
        assert 10 * np.log10(255**2 / error) > 36, number
        assert detail(new, (505, 260, 555, 320)) > 0.6 * detail(old, (505, 260, 555, 320)), number


def drawn(report):
    """What the subtitle that is burnt in says."""
    shown = ~_cover.hidden_rows(report)
    return "".join(_subtitles.lines(report, shown))


@pytest.mark.parametrize(
    ("choice", "labels"),
    [
        (None, {"person 0", "Grace"}),
        ("all", set()),
        ("unnamed", {"Grace"}),
        ("named", {"person 0"}),
        ("grace", {"person 0"}),
    ],
)
def test_hidden_faces_have_no_label(choice, labels, clip):
    text = drawn(report_of(clip, choice))
    assert set(re.findall(r"}([\w ]+?)  m", text)) == labels


def test_no_name_is_left_in_the_file(clip, tmp_path):
    assert b"Grace" in clip.read_bytes()
    for choice in ("all", "named"):
        export(report_of(clip, choice), tmp_path / "x.mp4")
        assert b"Grace" not in (tmp_path / "x.mp4").read_bytes()
        with av.open(str(tmp_path / "x.mp4")) as container:
            said = [container.metadata, *(stream.metadata for stream in container.streams)]
            assert "Grace" not in str(said)
            assert container.chapters() == []
            assert [stream.type for stream in container.streams] == ["video", "audio"]


def test_a_film_that_was_exchanged_is_refused(clip, tmp_path):
    report = report_of(clip, "all")
    info = replace(report.info, size_bytes=clip.stat().st_size + 1)
    with pytest.raises(InputError, match=r"clip\.mp4: has \d+ bytes, but had \d+ when faces"):
        export(replace(report, info=info), tmp_path / "x.mp4")
    assert not (tmp_path / "x.mp4").exists()


def test_what_was_not_looked_at_is_hidden_whole(clip, tmp_path):
    face = Face(25, 1.0, (200, 100, 260, 180), duration_s=1)
    looked = report_of(clip, "all", [face], start=1.0, stop=2.0, span_s=(1.0, 2.0))
    before, after = pictures(clip), export(looked, tmp_path / "x.mp4")
    corner = (0, 0, 100, 60)
    lost = [detail(b, corner) < 0.2 * detail(a, corner) for a, b in zip(before, after, strict=True)]
    assert lost == [not 25 <= number < 50 for number in range(75)]


def test_at_many_pictures_a_second_all_that_was_not_looked_at_is_hidden(tmp_path):
    """The last picture before the range ends less than a hundredth of a second before it."""
    clip = tmp_path / "s.mp4"
    pattern = "testsrc2=rate=240:size=640x360:duration=0.5,noise=alls=60"
    media.ffmpeg("-f", "lavfi", "-i", pattern, "-pix_fmt", "yuv420p", "-crf", "12", clip)
    begin = 61 / 240
    face = Face(61, begin, (200, 100, 260, 180), duration_s=0.1)
    looked = report_of(clip, "all", [face], start=begin, span_s=(begin, 0.5))
    before, after = pictures(clip), export(looked, tmp_path / "x.mp4")
    corner = (0, 0, 100, 60)
    lost = [detail(b, corner) < 0.2 * detail(a, corner) for a, b in zip(before, after, strict=True)]
    assert lost == [number < 61 for number in range(120)]


def test_a_film_that_is_not_what_was_analysed_is_refused(clip, tmp_path):
    moved = [Face(5, 0.21, way(0.2))]
    with pytest.raises(InputError, match=r"picture at 0\.210 s .* analyse it again"):
        export(report_of(clip, "all", moved), tmp_path / "x.mp4")
    with pytest.raises(InputError, match=r"picture at 2\.960 s .* analyse it again"):
        export(report_of(clip, "all", [], span_s=(0.0, 2.0)), tmp_path / "x.mp4")
    assert not (tmp_path / "x.mp4").exists()


@pytest.fixture(scope="module")
def portrait(tmp_path_factory):
    """A second of a portrait, and what is found in it."""
    path = tmp_path_factory.mktemp("portrait") / "s.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width = stream.height = 512
        stream.pix_fmt = "yuv420p"
        for _ in range(25):
            picture = av.VideoFrame.from_ndarray(media.astronaut(), "rgb24")
            out.mux(stream.encode(picture))
        out.mux(stream.encode(None))
    options = AnalysisOptions(anonymise="all", device="cpu", attributes=(), fps=5)
    return analyze(str(path), components=components.load_components(options))


class TestCheck:
    """What is written is looked at."""

    def test_a_blurred_face_passes(self, portrait, tmp_path):
        assert len(export(portrait, tmp_path / "x.mp4")) == 25

    def test_a_bare_face_is_named_and_nothing_is_left(self, portrait, tmp_path, monkeypatch):
        header = _cover._header(512, 512)
        monkeypatch.setattr(_cover, "mask", lambda *_: iter([header]))
        with pytest.raises(AnalyzerError, match=r"at 0\.000 s a face is found at \(1\d\d, "):
            export(portrait, tmp_path / "x.mp4")
        assert not (tmp_path / "x.mp4").exists()
        mp4.create(check=False, runtime=Runtime()).write(portrait, tmp_path / "x.mp4")

    def test_a_face_that_may_be_seen_beside_it_is_no_alarm(self):
        hidden = np.array([[100, 100, 200, 200]], np.float32)
        patch = np.array([[50, 50, 260, 260]], np.float32)
        seen = np.array([[180, 100, 280, 200]], np.float32)
        found = np.array([[182, 101, 279, 199], [102, 101, 199, 201]], np.float32)
        kept = _anonymity._doubtful(found, hidden, patch, seen)
        np.testing.assert_array_equal(kept, found[1:])


def test_nobody_to_hide(clip, tmp_path):
    assert len(export(report_of(clip, "all", []), tmp_path / "x.mp4")) == 75


def test_uneven_times_are_kept(tmp_path):
    clip = tmp_path / "s.mkv"
    media.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=rate=25:size=640x360:duration=2",
        "-vf", "setpts='(N*N+3*N)/400/TB'", "-fps_mode", "vfr", clip,
    )  # fmt: skip
    report = report_of(clip, "all", [Face(0, 0, way(0))], span_s=(0.0, 7.0))
    export(report, tmp_path / "x.mp4")
    assert media.player_times(tmp_path / "x.mp4") == pytest.approx(
        media.player_times(clip), abs=1e-3
    )


def test_a_damaged_medium_is_refused(clip, tmp_path):
    report = report_of(clip, "all")
    damaged = replace(report.observations, tally=replace(report.tally, damaged=1))
    with pytest.raises(InputError, match=r"damaged.*encode it anew.*ffmpeg -i"):
        export(replace(report, observations=damaged), tmp_path / "x.mp4")


class TestPatches:
    """Where and when."""

    def at(self, report, time_s):
        patches = _cover.patches(report)
        return patches.boxes[(patches.start_s <= time_s) & (time_s < patches.end_s)]

    def test_gaps_within_a_track_are_filled(self):
        faces = [Face(0, 0.0, (100, 100, 160, 180)), Face(50, 2.0, (300, 100, 360, 180))]
        for time_s in np.arange(0, 2, 0.04):
            x = 100 + 100 * time_s
            inside = [
                b[0] < x and b[2] > x + 60 for b in self.at(report_of("x", "all", faces), time_s)
            ]
            assert any(inside)

    def test_ends_are_held_in_the_shot_and_a_little_across_its_cuts(self):
        face = Face(50, 2.0, (100, 100, 160, 180))
        report = report_of("x", "all", [face])
        report = replace(report, shots=np.array([[0, 1.8], [1.8, 4.0], [4.0, 9.0]]))
        covered = [t for t in np.arange(0.01, 5, 0.05) if len(self.at(report, t))]
        assert covered[0] == pytest.approx(1.8, abs=0.06)
        assert covered[-1] == pytest.approx(3.0, abs=0.06)

    def test_two_tracks_are_not_joined(self):
        faces = [
            Face(0, 0.0, (100, 100, 160, 180), track=0),
            Face(10, 4.0, (500, 100, 560, 180), track=1),
        ]
        assert len(self.at(report_of("x", "all", faces), 2.0)) == 0
