"""What a file can do to the decoder: name other files, take memory, never end, break off."""

import os
import random
import resource
import socket
import struct
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import pytest

from analyzer.errors import InputError
from analyzer.files import source
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import video
from analyzer.types import Frame
from tests.support import media


def read(path: Path, **sampling: float) -> tuple[video.VideoMedium, list[Frame]]:
    with video.create(**sampling, runtime=Runtime()).open(str(path), careful=True) as medium:
        return medium, list(medium.frames())


def refuse(path: Path, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as caught:
        read(path)
    assert str(path) in str(caught.value)


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{other}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{other}'\n",
    "dash": """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"
 mediaPresentationDuration="PT2S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><Period>
 <AdaptationSet mimeType="video/mp4"><Representation id="1" bandwidth="1" codecs="avc1.42c01e">
 <BaseURL>{other}</BaseURL></Representation></AdaptationSet></Period></MPD>""",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n",
    "image list": "{other}\n",
}


@pytest.mark.parametrize("kind", PLAYLISTS)
@pytest.mark.parametrize("suffix", [".mp4", ".ts", ".m3u8", ".mpd"])
def test_a_playlist_reads_no_other_file(kind, suffix, tmp_path):
    other = media.video(tmp_path / "other.ts", seconds=0.2)
    path = tmp_path / f"list{suffix}"
    path.write_text(PLAYLISTS[kind].format(other=other))
    refuse(path, "not a video")


def test_a_playlist_would_be_read_without_the_whitelists(tmp_path):
    """The test above refuses for the right reason."""
    other = media.video(tmp_path / "other.ts", seconds=0.2)
    path = tmp_path / "list.txt"
    path.write_text(PLAYLISTS["concat"].format(other=other))
    with av.open(str(path), options={"safe": "0"}) as container:
        assert container.streams.video


@pytest.mark.parametrize(
    "name",
    [
        "concat:a.ts|a.ts",
        "subfile,,start,0,end,0,,:a.ts",
        "pipe:0",
        "tcp://127.0.0.1:9",
        "-i",
        "data:video/mp2t;base64,AAAA",
        "file:a.ts",
        "fd:",
        "crypto:a.ts",
        "http://127.0.0.1:9/a.ts",
    ],
)
def test_a_path_is_never_a_protocol(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    media.video(tmp_path / "a.ts", seconds=0.2)
    with pytest.raises(InputError, match="download it" if "://" in name else "No such file"):
        video.create(runtime=Runtime()).open(name)


def test_the_decoder_may_open_nothing_but_its_descriptor(tmp_path):
    """A QuickTime file with its samples in another file, even where following that is enabled."""
    other = media.video(tmp_path / "other.mov", seconds=0.2)
    path = tmp_path / "reference.mov"
    data = other.read_bytes()
    record = data.index(b"dref")
    entry = struct.pack(">I4sI", 12, b"url ", 1)
    assert data[record + 12 : record + 24] == entry
    path.write_bytes(data.replace(entry, struct.pack(">I4sI", 12, b"url ", 0)))
    descriptor = source.open_file(str(path))
    try:
        options = {"fd": str(descriptor), "protocol_whitelist": "fd", "enable_drefs": "1"}
        with av.open("fd:", options=options) as container:
            assert container.streams.video
        with pytest.raises((av.error.FFmpegError, OSError)):
            av.open(str(other), options=options)
    finally:
        os.close(descriptor)


def test_attachments_of_a_matroska_file_are_let_lie(tmp_path):
    path, attached = tmp_path / "a.mkv", tmp_path / "x.ttf"
    attached.write_bytes(b"not a font" * 100)
    whole = media.video(tmp_path / "a.mp4", seconds=0.2)
    media.ffmpeg(
        "-i", whole, "-attach", attached, "-metadata:s:t", "mimetype=font/ttf", "-c", "copy", path
    )
    assert len(read(path)[1]) == 6


def listen(path: Path) -> None:
    socket.socket(socket.AF_UNIX).bind(str(path))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, listen, lambda p: p.symlink_to("/dev/zero")])
def test_only_regular_files_are_read(make, tmp_path):
    path = tmp_path / "a.mp4"
    make(path)
    refuse(path, "not a regular file")


def test_descriptors_are_closed(tmp_path):
    media.video(tmp_path / "a.mp4", seconds=0.2)
    (tmp_path / "b.mp4").write_text("no video")
    before = len(os.listdir("/proc/self/fd"))
    read(tmp_path / "a.mp4")
    refuse(tmp_path / "b.mp4", "not a video")
    assert len(os.listdir("/proc/self/fd")) == before


def png_video(path: Path, *, stated: int, side: int) -> None:
    """A QuickTime file of PNG pictures; its header may lie about their size."""
    picture = media.black_png(side, side)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("png", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "monob"
        for number in range(2):
            packet = av.Packet(picture)
            packet.stream, packet.time_base = stream, Fraction(1, 25)
            packet.pts = packet.dts = number
            out.mux(packet)
    data = path.read_bytes()
    assert data.count(struct.pack(">HH", 64, 48)) == 1
    path.write_bytes(data.replace(struct.pack(">HH", 64, 48), struct.pack(">HH", stated, stated)))


@pytest.mark.parametrize("stated", [9000, 64])
def test_huge_pictures_take_no_memory(stated, tmp_path):
    path = tmp_path / "bomb.mov"
    png_video(path, stated=stated, side=9000)
    assert path.stat().st_size < 50_000
    code = (
        "import sys; from analyzer.stages.decode import video; "
        "from analyzer.errors import InputError; from analyzer.inference.runtime import Runtime\n"
        "try: video.create(runtime=Runtime()).open(sys.argv[1])\n"
        "except InputError as e: print(e)\n" + media.PRINT_PEAK
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
    message, _, peak = done.stdout.strip().rpartition("\n")
    assert "larger than 8192 x 8192" in message
    assert int(peak) < 150_000  # KiB; two pictures take 243 MB as RGB


def test_a_picture_is_no_video(tmp_path):
    path = tmp_path / "bomb.png"
    path.write_bytes(media.black_png(20000, 20000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refuse(path, "a picture; analyse pictures with --engine image")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def test_pixels_so_wide_that_the_picture_becomes_huge(tmp_path):
    path = tmp_path / "a.mkv"
    media.ffmpeg("-f", "lavfi", "-i", "testsrc=duration=0.2:size=320x240,setsar=500/1", path)
    refuse(path, "8192 x 8192")


def test_longer_than_a_day_is_refused(tmp_path):
    path = media.long_video(tmp_path / "a.mp4", video_track_timescale="1000")
    refuse(path, "more than 24 h")
    assert len(read(path, stop=10)[1]) == 1


def test_longer_than_a_day_by_its_pictures_only(tmp_path):
    path = media.long_video(tmp_path / "a.mkv", live="1")
    refuse(path, "more than 24 h")


def two_sizes(path: Path) -> Path:
    parts = [
        media.video(path.with_name(f"{size}.ts"), size=size, seconds=1)
        for size in ("320x240", "640x360")
    ]
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_pictures_that_change_their_size_are_scaled_to_the_first(tmp_path):
    medium, frames = read(two_sizes(tmp_path / "a.ts"))
    assert len(frames) > 55
    assert {f.image.shape for f in frames} == {(240, 320, 3)}
    assert (medium.info.width_px, medium.info.height_px) == (320, 240)
    assert sum(f.duration_s for f in frames) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("offset", ["0", "5000"])
def test_a_clock_that_starts_anew_runs_on(offset, tmp_path):
    """Two recordings, one behind the other, each with its own clock."""
    first = media.video(tmp_path / "1.ts", seconds=2)
    second = tmp_path / "2.ts"
    media.ffmpeg("-i", first, "-c", "copy", "-output_ts_offset", offset, second)
    path = tmp_path / "both.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    medium, frames = read(path)
    times = [f.time_s for f in frames]
    assert times == sorted(times)
    assert times[-1] == pytest.approx(4, abs=0.2)
    assert sum(f.duration_s for f in frames) == pytest.approx(4, abs=0.2)
    assert medium.info.duration_s == pytest.approx(4, abs=0.2)


def half(path: Path, source: Path, share: float = 0.5) -> Path:
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def fast_start(path: Path) -> Path:
    """The index before the pictures."""
    media.ffmpeg(
        "-i",
        media.video(path.with_name("w.mp4"), seconds=8),
        "-c",
        "copy",
        "-movflags",
        "+faststart",
        path,
    )
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_half_a_file_is_read_and_says_what_is_missing(suffix, tmp_path):
    whole = fast_start(tmp_path / f"a{suffix}")
    assert partial(whole) == (0, 0.0)
    medium, frames = read(half(tmp_path / f"half{suffix}", whole))
    assert 2 < medium.missing_s < 6
    assert medium.missing_s + medium.info.duration_s == pytest.approx(8, abs=0.1)
    assert frames[-1].time_s + frames[-1].duration_s == pytest.approx(medium.info.duration_s)


def partial(path: Path, **sampling: float) -> tuple[int, float]:
    medium, _ = read(path, **sampling)
    return medium.damaged, medium.missing_s


def test_what_was_not_asked_for_is_not_missing(tmp_path):
    path = half(tmp_path / "half.mp4", fast_start(tmp_path / "a.mp4"))
    assert partial(path, stop=1) == (0, 0.0)


@pytest.mark.parametrize("share", [0.5, 0.613, 0.87])
def test_half_a_stream_ends_in_the_middle_of_a_packet(share, tmp_path):
    whole = media.video(tmp_path / "a.ts", seconds=4)
    path = half(tmp_path / "half.ts", whole, share)
    if path.stat().st_size % 188 == 0:
        os.truncate(path, path.stat().st_size - 100)
    medium, frames = read(path)
    assert medium.damaged >= 1
    assert 30 < len(frames) < 110


def test_without_its_index_an_mp4_is_refused(tmp_path):
    refuse(half(tmp_path / "half.mp4", media.video(tmp_path / "a.mp4")), "not a video")


def noise(path: Path, source: Path, seed: int) -> Path:
    data, chance = bytearray(source.read_bytes()), random.Random(seed)
    for _ in range(len(data) // 200):
        data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("seed", range(8))
def test_noise_leaves_some_pictures_and_is_counted(seed, tmp_path):
    path = noise(tmp_path / "b.ts", media.video(tmp_path / "a.ts", seconds=4), seed)
    medium, frames = read(path)
    assert (medium.damaged > 0, medium.missing_s) == (True, 0.0)
    assert len(frames) > 10
    times = [f.time_s for f in frames]
    assert times == sorted(times)
    assert min(f.duration_s for f in frames) >= 0
    assert medium.info.duration_s < 30


def test_a_recording_that_begins_in_mid_stream_is_no_damage(tmp_path):
    data = media.video(tmp_path / "a.ts", seconds=4).read_bytes()
    cut = len(data) // 3 // 188 * 188
    path = tmp_path / "b.ts"
    path.write_bytes(data[cut:])
    assert partial(path) == (0, 0.0)


def test_whole_films_are_not_called_partial(shared):
    for path in sorted((shared / "media" / "video").glob("*.mp4")):
        if path.stat().st_size < 3_000_000:
            assert partial(path, stop=5) == (0, 0.0), path
    assert partial(shared / "media" / "video" / "short_hamilton_clip.mp4") == (0, 0.0)


class Switch:
    """A watcher that wants pictures of one size."""

    lookahead = lookback = 0

    def __init__(self):
        self.shapes = set()

    def update(self, picture, time_s):
        self.shapes.add(picture.shape)
        return []

    def take(self, picture):
        self.shapes.add(picture.shape)


def test_a_watcher_sees_pictures_of_one_size(tmp_path):
    watcher = Switch()
    path = two_sizes(tmp_path / "a.ts")
    with video.create(runtime=Runtime()).open(str(path), careful=True) as medium:
        assert len(list(medium.frames(watcher))) > 55
    assert len(watcher.shapes) == 1
