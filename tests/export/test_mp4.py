"""The mp4 exporter: timing and sound by PyAV, boxes by their pixels."""

import os
import random
import stat
from dataclasses import replace

import av
import numpy as np
import pytest

from analyzer import registry
from analyzer.errors import AnalyzerError, InputError, MissingDependency, ResourceError, UsageError
from analyzer.export import mp4
from analyzer.files import ffmpeg
from analyzer.inference.runtime import Runtime
from tests.support import media
from tests.support.reports import Face, make_report

RUNTIME = Runtime()
SKY_BLUE = np.array([0x56, 0xB4, 0xE9])
CLIPS = [
    "short_hamilton_clip.mp4",
    "single_face.mp4",
    "WolfgangLanger_Pexels.mp4",
    "counter.mp4",
    "no_face.mp4",
]


def report_of(path, faces=()):
    decoder = registry.load("decode", "video", runtime=RUNTIME)
    with decoder.open(str(path)) as medium:
        info = medium.info
    size = (info.width_px, info.height_px)
    return make_report(faces, uri=str(path), size=size, duration_s=info.duration_s)


def export(path, target, faces=(), progress=None):
    mp4.create(runtime=RUNTIME).write(report_of(path, faces), target, progress)
    return target


def source(path, *arguments, size="320x240", seconds=1):
    """A grey video, with other options of ffmpeg."""
    grey = f"color=gray:rate=25:size={size}:duration={seconds}"
    media.ffmpeg("-f", "lavfi", "-i", grey, *arguments, path)
    return path


def tone(path, codec):
    return source(path, "-f", "lavfi", "-i", "sine=duration=1", "-c:a", codec)


def pictures(path):
    with av.open(str(path)) as container:
        return [f.to_ndarray(format="rgb24").astype(int) for f in container.decode(video=0)]


@pytest.mark.parametrize("name", CLIPS)
def test_every_picture_keeps_its_time_and_the_sound_is_kept(name, shared, tmp_path):
    clip = shared / "media" / "video" / name
    written = export(clip, tmp_path / "x.mp4.part.3.1")
    before, after = media.player_times(clip), media.player_times(written)
    assert after == pytest.approx(before, abs=1e-3)
    assert media.picture_end(written) == pytest.approx(media.picture_end(clip), abs=2 / 24)
    assert media.sounds(written) == media.sounds(clip)


def test_a_late_first_picture_stays_late(tmp_path):
    clip = media.video(tmp_path / "whole.mp4")
    late = tmp_path / "late.mp4"
    media.ffmpeg("-itsoffset", "0.7", "-i", clip, "-i", clip, "-map", "0:v", "-map", "1:a",
                 "-c", "copy", late)  # fmt: skip
    written = export(late, tmp_path / "x.mp4")
    assert media.player_times(written)[0] == pytest.approx(0.7, abs=0.03)
    assert media.player_times(written) == pytest.approx(media.player_times(late), abs=1e-3)


def test_a_late_first_picture_stays_late_without_sound(tmp_path):
    """On the clock of the file, by which boxes are burnt in."""
    late = source(tmp_path / "s.avi", "-r", "25", "-c:v", "libx264", "-bf", "2")
    face = Face(1, 0.12, (40, 40, 120, 120), duration_s=0.08)
    written = export(late, tmp_path / "x.mp4", [face])
    with av.open(str(written)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([0.08 + n / 25 for n in range(25)], abs=1e-3)
    marked = [np.abs(p[80, 41] - SKY_BLUE).max() < 60 for p in pictures(written)]
    assert marked == [1 <= k < 3 for k in range(25)]


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
def test_tags_that_are_not_utf8_become_it(suffix, tmp_path):
    """Of the file, of a stream and of a chapter."""
    tags, said, shown = tmp_path / "tags.txt", "Caf@ X", "Caf\ufffd X"
    tags.write_text(
        f";FFMETADATA1\ntitle={said}\n[CHAPTER]\nTIMEBASE=1/1\nSTART=0\nEND=1\ntitle={said}\n"
    )
    names = ("-metadata:s:v", f"title={said}", "-metadata:s:v", f"handler_name={said}")
    options = ("-i", tags, "-map_metadata", "1", "-c:v", "libx264", *names)
    path = source(tmp_path / f"s{suffix}", *options)
    path.write_bytes(path.read_bytes().replace(said.encode(), b"Caf\xe9 X"))
    with av.open(str(export(path, tmp_path / "x.mp4"))) as container:
        assert container.metadata["title"] == shown
        assert [chapter["metadata"] for chapter in container.chapters()] == [{"title": shown}]
        of_pictures = container.streams.video[0].metadata
    assert suffix == ".mkv" or of_pictures["handler_name"] == shown


@pytest.mark.parametrize("sound", [(), ("-f", "lavfi", "-i", "sine=duration=1")])
def test_chapters_begin_where_their_pictures_do(sound, tmp_path):
    """Of a film that starts at 5 s on the clock of its container."""
    tags = tmp_path / "tags.txt"
    chapter = "[CHAPTER]\nTIMEBASE=1/1000\nSTART={}\nEND={}\ntitle=a\n"
    parts = chapter.format(5000, 5400), chapter.format(5400, 6000)
    tags.write_text(f";FFMETADATA1\n{''.join(parts)}")
    options = ("-i", tags, "-map_metadata", str(1 + bool(sound)), "-output_ts_offset", "5")
    path = source(tmp_path / "s.mkv", *sound, *options, "-c:v", "libx264", "-bf", "0")
    with av.open(str(path)) as container:
        assert container.start_time == pytest.approx(5_000_000, abs=30_000)
    written = export(path, tmp_path / "x.mp4")
    with av.open(str(written)) as container:
        begins = [float(c["start"] * c["time_base"]) for c in container.chapters()]
    assert begins == pytest.approx([0, 0.4], abs=0.03)
    assert media.player_times(written) == pytest.approx(media.player_times(path), abs=1e-3)


def test_uneven_times_are_kept(tmp_path):
    clip = source(tmp_path / "s.mkv", "-vf", "setpts='(N*N+3*N)/400/TB'", "-fps_mode", "vfr")
    written = export(clip, tmp_path / "x.mp4")
    assert media.player_times(written) == pytest.approx(media.player_times(clip), abs=1e-3)


@pytest.mark.parametrize(
    ("codec", "expected"),
    [("aac", "aac"), ("libmp3lame", "mp3"), ("flac", "aac"), ("pcm_s16le", "aac")],
)
def test_sound_is_copied_where_mp4_holds_it(codec, expected, tmp_path):
    written = export(tone(tmp_path / "s.mkv", codec), tmp_path / "x.mp4")
    assert media.sounds(written) == [expected]


def test_a_source_without_sound(tmp_path):
    assert media.sounds(export(source(tmp_path / "s.mp4"), tmp_path / "x.mp4")) == []


def test_the_box_stands_where_the_report_says_while_it_says_so(tmp_path):
    clip = source(tmp_path / "s.mp4", size="1280x720")
    face = Face(5, 0.2, (400, 200, 600, 500), duration_s=0.4)
    shown = pictures(export(clip, tmp_path / "x.mp4", [face]))
    marked = [np.abs(p[350, 401] - SKY_BLUE).max() < 60 for p in shown]
    assert marked == [5 <= k < 15 for k in range(25)]
    picture = shown[7]
    for line in (picture[300:400, 401], picture[498, 450:550], picture[300:400, 598]):
        assert np.abs(line - SKY_BLUE).max() < 60
    for grey in (picture[300:400, 380:394], picture[300:400, 410:590], picture[510:520, 400:600]):
        assert np.abs(grey - shown[0][0, 0]).max() < 12
    assert np.abs(picture[160:195, 400:520] - shown[0][0, 0]).max() > 60, "no label"


@pytest.mark.parametrize(
    ("filters", "shown"),
    [
        ("format=yuv444p,pad=321:241", (322, 242)),
        ("setsar=4/3", (428, 240)),
        ("setsar=1/2,format=yuv422p10", (160, 240)),
    ],
)
def test_pixels_become_square_and_sides_even(filters, shown, tmp_path):
    written = export(source(tmp_path / "s.mp4", "-vf", filters), tmp_path / "x.mp4")
    video = media.streams(written)[0]
    assert (video.size, video.aspect, video.pixels) == (shown, 1, "yuv420p")


def test_odd_sides_lose_neither_row_nor_column(tmp_path):
    odd = "format=yuv444p,crop=319:239"
    clip = source(tmp_path / "s.mkv", "-vf", odd, "-pix_fmt", "yuv444p")
    shown = pictures(export(clip, tmp_path / "x.mp4"))[3]
    assert shown.shape == (240, 320, 3)
    assert np.abs(shown[:239, :319] - shown[0, 0]).max() < 20
    assert max(shown[239].max(), shown[:, 319].max()) < 20


def test_full_range_becomes_the_range_that_all_players_show(tmp_path):
    clip = source(tmp_path / "s.mp4", "-vf", "scale=out_range=pc", "-pix_fmt", "yuvj420p")
    written = export(clip, tmp_path / "x.mp4")
    assert media.streams(written)[0].pixels == "yuv420p"
    assert np.abs(pictures(written)[3] - pictures(clip)[3]).max() < 4


def test_sound_is_encoded_on_its_own_clock(tmp_path):
    """Not on that of the pictures, which is too coarse for it."""
    written = export(tone(tmp_path / "s.avi", "pcm_s16le"), tmp_path / "x.mp4")
    with av.open(str(written)) as container:
        times = [packet.pts for packet in container.demux(audio=0) if packet.size]
    assert set(np.diff(times)) == {1024}


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_rotated_source_comes_out_upright(degrees, tmp_path):
    """A white corner, top left for the viewer, whatever way the camera was held."""
    upright = np.zeros((240, 320, 3), np.uint8)
    upright[:60, :60] = 255
    stored = np.ascontiguousarray(np.rot90(upright, -degrees // 90))
    clip = tmp_path / "s.mp4"
    with av.open(str(clip), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.height, stream.width = stored.shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.set_display_rotation(degrees)
        out.mux(stream.encode(av.VideoFrame.from_ndarray(stored, "rgb24")))
        out.mux(stream.encode())
    (picture,) = pictures(export(clip, tmp_path / "x.mp4"))
    assert picture.shape == upright.shape
    assert picture[10:50, 10:50].mean() > 230
    assert picture[80:, 80:].mean() < 20


def test_any_name_of_source_and_target(weird_folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    clip = source(weird_folder / "-i s'x.mp4")
    written = export(os.path.relpath(clip), weird_folder.relative_to(tmp_path) / "-x,'y.part.3.1")
    assert len(pictures(written)) == 25


def test_progress_grows_to_the_end(tmp_path):
    steps = []
    export(media.video(tmp_path / "s.mp4", seconds=4), tmp_path / "x.mp4", progress=steps.append)
    assert {p.stage for p in steps} == {"mp4"}
    assert sorted(p.done for p in steps) == [p.done for p in steps]
    assert steps[-1].done == pytest.approx(4, abs=0.2)
    assert steps[-1].done <= steps[-1].total


def test_a_hook_that_raises_ends_ffmpeg_and_leaves_nothing(tmp_path):
    def stop(_):
        raise KeyboardInterrupt

    clip = source(tmp_path / "s.mp4")
    with pytest.raises(KeyboardInterrupt):
        export(clip, tmp_path / "x.mp4", progress=stop)
    assert not (tmp_path / "x.mp4").exists()


def test_stills_are_refused(tmp_path):
    with pytest.raises(UsageError, match="need a video"):
        mp4.create(runtime=RUNTIME).write(make_report(kind="image"), tmp_path / "x.mp4")


def test_a_source_that_went_away(tmp_path):
    report = make_report(uri=str(tmp_path / "gone.mp4"))
    with pytest.raises(InputError, match=r"gone\.mp4: cannot be read"):
        mp4.create(runtime=RUNTIME).write(report, tmp_path / "x.mp4")


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ("echo 'x.mp4: No space left on device' >&2; exit 1", ResourceError),
        ("kill -9 $$", ResourceError),
        ("echo 'Invalid data found when processing input' >&2; exit 1", InputError),
        ("echo 'Something else' >&2; exit 1", AnalyzerError),
    ],
)
def test_a_failure_says_what_ffmpeg_said(script, error, tmp_path, monkeypatch):
    program = fake(tmp_path, script)
    monkeypatch.setattr("analyzer.export.mp4.find_ffmpeg", lambda: str(program))
    clip = source(tmp_path / "s.mp4")
    with pytest.raises(AnalyzerError, match="ffmpeg could not make the mp4") as caught:
        export(clip, tmp_path / "x.mp4")
    assert type(caught.value) is error


def fake(folder, script):
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


class TestBinary:
    """Which ffmpeg is taken."""

    @pytest.fixture(autouse=True)
    def _fresh(self):
        ffmpeg.find_ffmpeg.cache_clear()
        yield
        ffmpeg.find_ffmpeg.cache_clear()

    @pytest.mark.parametrize(
        "version", ["", "libavfilter      7.110.100 / 7", "exit 1", "libavfilter 9. 1.100"]
    )
    def test_one_on_path_that_cannot_do_it_is_passed_over(self, version, tmp_path, monkeypatch):
        fake(tmp_path, f"echo '{version}'")
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert "imageio_ffmpeg" in ffmpeg.find_ffmpeg()

    def test_one_on_path_that_can_is_taken(self, tmp_path, monkeypatch):
        version = "--enable-libass --enable-libx264 libavfilter      8. 44.100 / 8"
        program = fake(tmp_path, f"echo '{version}'")
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        assert ffmpeg.find_ffmpeg() == str(program)

    def test_none_says_how_to_get_one(self, tmp_path, monkeypatch):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "none"))
        with pytest.raises(MissingDependency, match="pip install imageio-ffmpeg"):
            ffmpeg.find_ffmpeg()

    def test_the_packaged_one_does_the_work(self, tmp_path, monkeypatch):
        clip = tone(tmp_path / "s.mp4", "aac")
        monkeypatch.setattr(ffmpeg, "_is_capable", lambda path: "imageio_ffmpeg" in path)
        written = export(clip, tmp_path / "x.mp4", [Face(0, 0, (50, 50, 90, 90))])
        assert len(pictures(written)) == 25


@pytest.mark.parametrize("seed", range(4))
def test_a_damaged_source_is_mended(seed, tmp_path):
    """Sound that cannot be copied, times that go back and ahead by hours."""
    whole = media.video(tmp_path / "whole.ts", seconds=4)
    data, chance = bytearray(whole.read_bytes()), random.Random(seed)
    for _ in range(len(data) // 200):
        data[chance.randrange(len(data))] = chance.randrange(256)
    whole.write_bytes(data)
    report = make_report(uri=str(whole), size=(320, 240))
    tally = replace(report.tally, damaged=1)
    report = replace(report, observations=replace(report.observations, tally=tally))
    path = tmp_path / "x.mp4.part.1.1"
    mp4.create(runtime=Runtime()).write(report, path)
    assert 1 < media.length(path) < 30
