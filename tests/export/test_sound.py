"""The sound of an mp4: copied, encoded anew, mixed down, or left out with a word."""

import logging

import av
import numpy as np
import pytest

from analyzer import registry
from analyzer.export import mp4
from analyzer.inference.runtime import Runtime
from tests.support import media
from tests.support.reports import make_report


def film(path, *sound, source="sine=duration=1"):
    media.ffmpeg(
        "-f", "lavfi", "-i", "testsrc=rate=25:size=320x240:duration=1",
        "-f", "lavfi", "-i", source, "-pix_fmt", "yuv420p", *sound, path,
    )  # fmt: skip
    return path


def export(path, target):
    with registry.load("decode", "video", runtime=Runtime()).open(str(path)) as medium:
        info = medium.info
    size = info.width_px, info.height_px
    report = make_report(uri=str(path), size=size, duration_s=info.duration_s)
    mp4.create(runtime=Runtime()).write(report, target)
    return target


@pytest.mark.parametrize("suffix", [".avi", ".flv", ".mkv"])
@pytest.mark.parametrize("rate", ["8000", "11025"])
def test_mp3_of_few_samples_a_second_becomes_aac(rate, suffix, tmp_path):
    if suffix == ".flv" and rate == "8000":
        pytest.skip("FLV holds MP3 at 11,025 Hz and more")
    video = ("-c:v", "libx264") if suffix != ".avi" else ("-c:v", "mpeg4")
    path = film(tmp_path / f"s{suffix}", *video, "-c:a", "libmp3lame", "-ar", rate)
    written = export(path, tmp_path / "x.mp4")
    assert media.sounds(written) == ["aac"]
    channels, _, seconds, loudness = media.heard(written)
    assert channels == 1
    assert seconds == pytest.approx(1, abs=0.3)
    assert loudness > 0.05


@pytest.mark.parametrize(
    ("layout", "channels"),
    [("5.1(side)", 6), ("7.1", 8), ("6.1", 2), ("hexadecagonal", 2), ("4.0", 4)],
)
def test_many_channels(layout, channels, tmp_path):
    source = (
        f"sine=duration=1:sample_rate=48000,aformat=channel_layouts=mono,pan={layout}|FL=c0|FR=c0"
    )
    path = film(tmp_path / "s.mkv", "-c:a", "pcm_s16le", source=source)
    written = export(path, tmp_path / "x.mp4")
    assert media.sounds(written) == ["aac"]
    found = media.heard(written)
    assert found[0] == channels
    assert found[3] > 0.01


def test_more_samples_than_aac_knows(tmp_path):
    source = "sine=duration=1:sample_rate=192000"
    written = export(
        film(tmp_path / "s.mkv", "-c:a", "pcm_s24le", source=source), tmp_path / "x.mp4"
    )
    assert media.heard(written)[:2] == (1, 48_000)


def test_each_stream_is_looked_at_by_itself(tmp_path):
    path = tmp_path / "s.mkv"
    media.ffmpeg(
        "-f", "lavfi", "-i", "testsrc=rate=25:size=320x240:duration=1",
        "-f", "lavfi", "-i", "sine=duration=1", "-map", "0", "-map", "1", "-map", "1", "-map", "1",
        "-c:a:0", "libmp3lame", "-ar:a:0", "8000", "-c:a:1", "aac", "-c:a:2", "flac", path,
    )  # fmt: skip
    assert media.sounds(export(path, tmp_path / "x.mp4")) == ["aac"] * 3


def test_sound_that_is_announced_only(tmp_path, caplog):
    """The packets of the sound are taken out of a transport stream; its tables still name it."""
    path = film(tmp_path / "s.ts", "-c:a", "aac")
    data = path.read_bytes()
    packets = [data[n : n + 188] for n in range(0, len(data), 188)]
    kept = [p for p in packets if (p[1] & 31) << 8 | p[2] != 0x101]
    assert len(kept) < len(packets)
    path.write_bytes(b"".join(kept))
    with caplog.at_level(logging.WARNING):
        written = export(path, tmp_path / "x.mp4")
    assert media.sounds(written) == []
    assert len(media.player_times(written)) == 25
    assert "sound 1 (aac) is left out: it is announced, but there is none" in caplog.text


def test_tags_are_kept_with_sound_and_without(tmp_path):
    for number, sound in enumerate([("-c:a", "aac", "-metadata:s:a", "language=fra"), ("-an",)]):
        path = film(tmp_path / f"{number}.mp4", *sound, "-metadata", "title=The Kid")
        with av.open(str(export(path, tmp_path / "x.mp4"))) as container:
            assert container.metadata["title"] == "The Kid"
            assert [s.language for s in container.streams.audio] == ["fra"][number:]


@pytest.mark.parametrize("later", ["100", "0"])
def test_sound_runs_on_where_the_clock_of_the_pictures_does(later, tmp_path):
    """Two recordings in one file: the second begins 99 s later, or anew."""
    parts = [
        film(tmp_path / f"{n}.ts", "-c:a", "aac", "-output_ts_offset", offset)
        for n, offset in enumerate(("0", later))
    ]
    joined = tmp_path / "s.ts"
    joined.write_bytes(b"".join(part.read_bytes() for part in parts))
    written = export(joined, tmp_path / "x.mp4")
    times = media.player_times(written)
    assert len(times) == 50
    assert times[-1] == pytest.approx(2, abs=0.15)
    channels, _, seconds, loudness = media.heard(written)
    assert channels == 1
    assert seconds == pytest.approx(2, abs=0.2)
    assert loudness > 0.05


BEEPS = "aevalsrc=sin(880*2*PI*t)*lt(mod(t\\,0.5)\\,0.05):s=44100:d=3"


def onsets(path):
    """When a beep begins, in seconds, at the times of the sound's packets."""
    found, last = [], -1.0
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            loud = np.abs(np.frombuffer(bytes(frame.planes[0]), np.float32)) > 0.3
            if loud[: frame.samples].any():
                time = frame.time + int(loud.argmax()) / frame.sample_rate
                found += [time] if time - last > 0.2 else []
                last = frame.time + frame.samples / frame.sample_rate
    return found


@pytest.mark.parametrize(
    ("suffix", "offsets"),
    [
        (".flv", (0, 0, 0)),  # each begins anew
        (".flv", (0, 2.4)),  # it goes back by 0.6 s
        (".flv", (0, 4000, 0)),
        (".flv", (0, 60)),  # a pause, and no break
        (".ts", (0, 0, 0)),
        (".ts", (0, 5000, 0)),
    ],
)
def test_joined_recordings_keep_sound_and_pictures_together(suffix, offsets, tmp_path):
    part, contents = tmp_path / f"part{suffix}", []
    for offset in offsets:
        media.ffmpeg(
            "-f", "lavfi", "-i", "testsrc=rate=25:size=320x240:duration=3",
            "-f", "lavfi", "-i", BEEPS, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-bf", "0",
            "-c:a", "aac", "-t", "3", "-output_ts_offset", f"{offset}", part,
        )  # fmt: skip
        contents.append(part.read_bytes())
    header = 13 if suffix == ".flv" else 0
    joined = tmp_path / f"s{suffix}"
    joined.write_bytes(b"".join([contents[0], *(content[header:] for content in contents[1:])]))
    written = export(joined, tmp_path / "x.mp4")
    begins = [media.player_times(written)[75 * n] for n in range(len(offsets))]
    expected = [begin + 0.5 * k for begin in begins for k in range(6)]
    assert onsets(written) == pytest.approx(expected, abs=0.1)
