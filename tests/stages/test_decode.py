"""Decoding: the times of ffprobe, the upright picture, and no file but a video."""

import os
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from analyzer.errors import InputError
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import video
from analyzer.types import Frame, MediaInfo
from tests.support import media


def read(path: Path, **sampling: float) -> tuple[MediaInfo, list[Frame]]:
    with video.create(**sampling, runtime=Runtime()).open(str(path)) as medium:
        return medium.info, list(medium.frames())


def late(path: Path) -> Path:
    """Sound from the start, pictures only after 0.7 s."""
    source = media.video(path.with_name("whole.mp4"))
    media.ffmpeg(
        "-itsoffset",
        "0.7",
        "-i",
        source,
        "-i",
        source,
        "-map",
        "0:v",
        "-map",
        "1:a",
        "-c",
        "copy",
        path,
    )
    return path


def variable_rate(path: Path) -> Path:
    source = media.video(path.with_name("whole.mp4"))
    media.ffmpeg("-i", source, "-vf", "select='not(mod(n,3))+lt(n,10)'", "-fps_mode", "vfr", path)
    return path


def edit_list(path: Path) -> Path:
    """Cut in the middle of a group of pictures without encoding again: the cut is an edit list."""
    source = media.video(path.with_name("whole.mp4"))
    media.ffmpeg("-ss", "0.75", "-i", source, "-c", "copy", path)
    return path


def one_frame(path: Path) -> Path:
    return media.video(path, rate="25", seconds=0.04)


def ten_bit(path: Path) -> Path:
    media.ffmpeg(
        "-f", "lavfi", "-i", "testsrc=duration=1:rate=24000/1001", "-pix_fmt", "yuv420p10le", path
    )
    return path


MAKERS = [media.video, late, variable_rate, edit_list, one_frame, ten_bit]


@pytest.mark.parametrize("make", MAKERS, ids=lambda maker: maker.__name__)
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_times_and_numbers_are_those_of_ffprobe(make, suffix, tmp_path):
    path = make(tmp_path / f"medium{suffix}")
    expected = media.probed_times(path)
    _, frames = read(path)
    assert [f.index for f in frames] == list(range(len(expected)))
    assert [f.time_s for f in frames] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("make", [media.video, late, edit_list])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_key_frames_have_the_numbers_and_times_of_ffprobe(make, suffix, tmp_path):
    path = make(tmp_path / f"medium{suffix}")
    listed = media.probe(path, "-select_streams", "v:0", "-show_frames")["frames"]
    times = media.probed_times(path)
    numbers = [i for i, frame in enumerate(listed) if frame["key_frame"]]
    _, frames = read(path, key_frames=True)
    assert [f.index for f in frames] == numbers
    assert [f.time_s for f in frames] == pytest.approx([times[i] for i in numbers], abs=1e-3)
    assert all(f.cut for f in frames)
    ends = [f.time_s + f.duration_s for f in frames]
    assert ends[:-1] == pytest.approx([f.time_s for f in frames[1:]])
    assert ends[-1] == pytest.approx(times[-1] + 1001 / 30000, abs=2e-3)


def test_samples_stand_for_all_the_time_there_is(tmp_path):
    path = media.video(tmp_path / "a.mp4", seconds=3)
    whole = media.player_times(path)
    _, frames = read(path, fps=5)
    assert len(frames) == 15
    for frame, following in pairwise(frames):
        assert frame.time_s + frame.duration_s == pytest.approx(following.time_s, abs=1e-9)
    assert frames[-1].time_s + frames[-1].duration_s == pytest.approx(whole[-1] + 1001 / 30000)


def test_sampling_does_not_depend_on_where_it_starts(tmp_path):
    path = media.video(tmp_path / "a.mp4", seconds=3)
    whole = {f.index for f in read(path, fps=4)[1] if 1 <= f.time_s < 2.5}
    part = {f.index for f in read(path, fps=4, start=1, stop=2.5)[1]}
    assert whole <= part
    assert len(part - whole) <= 1


def test_frame_step_counts_frames(tmp_path):
    path = media.video(tmp_path / "a.mp4", rate="10", seconds=2)
    assert [f.index for f in read(path, frame_step=7)[1]] == [0, 7, 14]


def test_stop_ends_the_last_sample(tmp_path):
    path = media.video(tmp_path / "a.mp4", rate="10", seconds=2)
    frames = read(path, fps=2, stop=1.2)[1]
    assert frames[-1].time_s + frames[-1].duration_s == pytest.approx(1.2)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_picture_is_upright_with_square_pixels(degrees, tmp_path):
    """A white corner, top left for the viewer, whatever way the camera was held."""
    upright = np.zeros((240, 426 if degrees % 180 == 0 else 180, 3), np.uint8)
    upright[:60, :60] = 255
    stored = np.rot90(upright, -degrees // 90)
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.height, stream.width = stored.shape[:2]
        stream.pix_fmt = "yuv444p"
        stream.set_display_rotation(degrees)
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), "rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    info, frames = read(path)
    image = frames[0].image
    assert (info.height_px, info.width_px) == image.shape[:2] == upright.shape[:2]
    assert image[10:50, 10:50].mean() > 240
    assert image[80:, 80:].mean() < 15


@pytest.mark.parametrize(("aspect", "width"), [("8/9", 284), ("16/11", 465)])
def test_pixels_become_square(aspect, width, tmp_path):
    path = tmp_path / "a.mp4"
    media.ffmpeg("-f", "lavfi", "-i", f"testsrc=duration=0.2:size=320x240,setsar={aspect}", path)
    info, frames = read(path)
    assert (info.width_px, info.height_px) == (width, 240)
    assert frames[0].image.shape == (240, width, 3)


def test_half_a_file_is_read_as_far_as_it_goes(tmp_path):
    whole = media.video(tmp_path / "a.ts", seconds=4).read_bytes()
    path = tmp_path / "half.ts"
    path.write_bytes(whole[: len(whole) // 2])
    _, frames = read(path)
    assert 10 < len(frames) < 110


def playlist(path: Path) -> None:
    path.write_text("#EXTM3U\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n")


def sound_only(path: Path) -> None:
    media.ffmpeg("-f", "lavfi", "-i", "sine=duration=1", path)


BAD = {
    "missing": (lambda path: None, "No such file"),
    "empty": (lambda path: path.touch(), "empty"),
    "text": (lambda path: path.write_text("not a video\n" * 50), "not a video"),
    "folder": (lambda path: path.mkdir(), "not a regular file"),
    "fifo": (os.mkfifo, "not a regular file"),
    "playlist": (playlist, "not a video"),
    "sound": (sound_only, "no picture"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_refused_with_its_name_and_the_reason(name, tmp_path):
    make, reason = BAD[name]
    path = tmp_path / "bad.mp4"
    make(path)
    with pytest.raises(InputError, match=reason) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_is_never_a_protocol(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    media.video(tmp_path / "a.mp4", seconds=0.2)
    for path in ("concat:a.mp4|a.mp4", "http://127.0.0.1:1/a.mp4", "-i"):
        with pytest.raises(InputError):
            read(Path(path))


def test_weird_names_are_just_names(tmp_path):
    path = tmp_path / 'it\'s "a" file: 100%, [x]\nü.mp4'
    media.video(tmp_path / "a.mp4", seconds=0.2).rename(path)
    assert len(read(path)[1]) == 6


def test_a_picture_without_valid_colours_is_counted_and_left_out(tmp_path, monkeypatch):
    """As damage leaves some: FFmpeg then converts nothing, which files cannot be made to show."""
    path = media.video(tmp_path / "a.mp4", seconds=1)
    with video.create(fps=5, runtime=Runtime()).open(str(path)) as medium:
        convert, calls = medium._reformatter.reformat, iter(range(99))

        class Reformatter:
            def reformat(self, *arguments):
                if next(calls) == 2:
                    raise av.error.OSError(95, "Operation not supported")
                return convert(*arguments)

        monkeypatch.setattr(medium, "_reformatter", Reformatter())
        frames = list(medium.frames())
    assert medium.damaged == 1
    assert [f.index for f in frames] == [0, 6, 18, 24]
    assert [round(f.duration_s, 3) for f in frames] == [0.2, 0.4, 0.2, 0.2]
