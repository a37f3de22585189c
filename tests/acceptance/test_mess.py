"""An archive's worth of mess in one joblist, on a real server with two workers."""

import csv
import gzip
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from jobs.ledger import queries, schema
from jobs.server.progress import describe
from jobs.types import Job, State
from tests.support import media
from tests.support.processes import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(900)]
PATTERN = ["-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=1"]
TONE = ["-f", "lavfi", "-i", "sine=f=440:d=1"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
Make = Callable[[Path], object]


def coded(*options: str, tone: bool = True) -> Make:
    """Make a clip of a second with some options of ffmpeg."""
    return lambda path: media.ffmpeg(*PATTERN, *(TONE if tone else ()), *options, path)


def beside(path: Path, suffix: str, *options: str, tone: bool = False) -> Path:
    """Make a clip beside a path, to be changed."""
    clip = path.with_name(f".{path.name}{suffix}")
    media.ffmpeg(*PATTERN, *(TONE if tone else ()), *options, clip)
    return clip


def copied(suffix: str, *options: str, to: tuple[str, ...] = ("-c", "copy")) -> Make:
    """Copy the streams of a clip with some options of ffmpeg."""
    return lambda path: media.ffmpeg("-i", beside(path, suffix, *options, tone=True), *to, path)


def joined(suffix: str, first: tuple[str, ...], second: tuple[str, ...], skip: int = 0) -> Make:
    """Join two clips, without some bytes at the start of the second."""

    def make(path: Path) -> None:
        parts = [beside(path, f".{n}{suffix}", *o) for n, o in enumerate((first, second))]
        path.write_bytes(parts[0].read_bytes() + parts[1].read_bytes()[skip:])

    return make


def altered(old: bytes, new: bytes, *options: str) -> Make:
    """Replace bytes of a clip."""

    def make(path: Path) -> None:
        media.ffmpeg(*PATTERN, *TONE, *options, path)
        data = path.read_bytes()
        assert old in data
        assert len(old) == len(new)
        path.write_bytes(data.replace(old, new))

    return make


def cut(share: float, *options: str) -> Make:
    """Cut a clip off."""

    def make(path: Path) -> None:
        media.ffmpeg(*PATTERN, *TONE, *options, path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return make


def cover(*codec: str) -> Make:
    """Make sound with a picture attached."""

    def make(path: Path) -> None:
        picture = path.with_name(f".{path.name}.jpg")
        Image.effect_noise((320, 320), 80).save(picture)
        marks = ["-c:v", "mjpeg", "-disposition:v", "attached_pic"]
        media.ffmpeg(*TONE, "-i", picture, "-map", "0", "-map", "1", *codec, *marks, path)

    return make


def turned(how: str) -> Make:
    """Make a clip with an orientation that its codec tells."""
    return copied(".mp4", *H264, to=("-c", "copy", "-bsf:v", f"h264_metadata={how}"))


def sixteen_bits(path: Path) -> None:
    """Write a picture of 16 bits."""
    Image.fromarray(np.full((64, 64), 30_000, np.uint16)).save(path, format="PNG")


def loop(path: Path) -> None:
    """Make a link that leads to itself."""
    path.symlink_to(path.name)


ORIENTED = "display_orientation=insert"
NFD = unicodedata.normalize("NFD", "décomposé.mp4")
MESS: dict[str, Make] = {
    "A mirrored.mp4": turned(f"{ORIENTED}:flip=horizontal"),
    "A odd angle.mp4": turned(f"{ORIENTED}:rotate=33"),
    "A flipped and turned.mkv": turned(f"{ORIENTED}:flip=vertical:rotate=90"),
    "B joined.flv": joined(".flv", H264, (*H264, "-bf", "0"), 13),
    "B joined.ts": joined(".ts", H264, H264),
    "C frames out of order.avi": coded("-c:v", "libx264", "-bf", "3"),
    "C mpeg4 out of order.avi": coded("-c:v", "mpeg4", "-bf", "2"),
    "D mp3 of 8 kHz.avi": coded(*H264, "-ar", "8000", "-c:a", "libmp3lame", "-b:a", "8k"),
    "D mp3 of 11 kHz.mkv": coded(*H264, "-ar", "11025", "-c:a", "libmp3lame", "-b:a", "16k"),
    "D many channels.mkv": coded(*H264, "-ac", "8", "-c:a", "flac"),
    "D wave.mov": coded(*H264, "-c:a", "pcm_f32le"),
    f"E {'é' * 90}.mp4": coded(*H264),
    "E $(touch x);'\"&|.mp4": coded(*H264),
    "E =1+1,2.mp4": coded(*H264),
    NFD: coded(*H264),
    "F 16 bits.mp4": sixteen_bits,
    "F 16 bits.png": sixteen_bits,
    "F 10 bits.mkv": coded("-c:v", "libx264", "-pix_fmt", "yuv422p10le"),
    "F ffv1 of 16 bits.mkv": coded("-c:v", "ffv1", "-pix_fmt", "gray16le"),
    "F palette.gif": coded(tone=False),
    "G song.m4a": cover("-c:a", "aac"),
    "G song.mp3": cover("-c:a", "libmp3lame"),
    "G sound.mp4": lambda path: media.ffmpeg(*TONE, path),
    "H two films.ogv": joined(
        ".ogv", ("-c:v", "libtheora"), ("-c:v", "libtheora", "-s", "96x96", "-q:v", "3")
    ),
    "H two films.mkv": joined(".mkv", H264, (*H264, "-s", "96x96")),
    "J raw.dv": lambda path: media.ffmpeg(*PATTERN, "-target", "pal-dv", "-an", path),
    "J raw.h264": coded(*H264, tone=False),
    "J raw.m2v": coded("-c:v", "mpeg2video", tone=False),
    "K one picture.avi": lambda path: media.ffmpeg(
        "-f", "lavfi", "-i", "testsrc2=s=160x120:r=25:d=0.04", "-c:v", "mpeg4", path
    ),
    "K first second.flv": coded(*H264, "-g", "50"),
    "L title.avi": altered(b"Caf@ X", b"Caf\xe9 X", "-c:v", "mpeg4", "-metadata", "title=Caf@ X"),
    "L title.mp4": altered(b"Caf@ X", b"Caf\xe9 X", *H264, "-metadata", "title=Caf@ X"),
    "L nobody knows.avi": altered(b"XVID", b"ZZ9Q", "-c:v", "mpeg4", "-vtag", "XVID"),
    "L nobody knows.mp4": altered(b"avc1", b"zz9q", *H264),
    "L unknown sound.mp4": altered(b"mp4a", b"zz9q", *H264),
    "M without sound.mp4": copied(".mp4", *H264, to=("-an", "-c", "copy")),
    "M odd start.ts": copied(".ts", *H264, to=("-c", "copy", "-output_ts_offset", "1.00005")),
    "N priming.mkv": coded("-r", "60", *H264, "-c:a", "aac"),
    "N priming.webm": coded("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
    "O half.ts": cut(0.5, *H264),
    "O half.mkv": cut(0.6, *H264),
    "O half.mp4": cut(0.5, *H264),
    "O half.avi": cut(0.5, "-c:v", "mpeg4"),
    "O half.mpg": cut(0.5, "-c:v", "mpeg2video"),
    "P wide pixels.mp4": coded("-vf", "setsar=64/45", *H264),
    "P odd sides.mp4": coded("-vf", "scale=161:121", "-c:v", "libx264", "-pix_fmt", "yuv444p"),
    "P interlaced.mpg": coded("-c:v", "mpeg2video", "-flags", "+ilme+ildct"),
    "P sizes change.ts": joined(".ts", H264, (*H264, "-s", "96x96")),
    "P motion jpeg.mov": coded("-c:v", "mjpeg", "-pix_fmt", "yuvj422p"),
    "P wrong suffix.mp4": lambda path: path.write_bytes(
        beside(path, ".mkv", *H264, tone=True).read_bytes()
    ),
    "Q empty.mp4": lambda path: path.touch(),
    "Q zeros.mp4": lambda path: path.write_bytes(bytes(1 << 20)),
    "Q text.mp4": lambda path: path.write_text("no film\n" * 99),
    "Q noise.mkv": lambda path: path.write_bytes(os.urandom(1 << 16)),
    "Q packed.mp4": lambda path: path.write_bytes(gzip.compress(bytes(9999))),
    "Q playlist.mp4": lambda path: path.write_text("#EXTM3U\n#EXTINF:9,\nother.ts\n"),
    "Q folder.mp4": lambda path: path.mkdir(),
    "Q loop.mp4": loop,
    "Q leads nowhere.mp4": lambda path: path.symlink_to("nowhere"),
    "Q missing.mp4": lambda path: None,
}
"""Name -> maker of each; the letters are the kinds."""
EXPORTS = {"csv": "csv", "ass": "ass", "html": "html", "mp4": "mp4"}
WHOLE = (*"BCDEJKMNP", "L title", "F 10", "F ffv1", "F palette", "A")
"""Beginnings of the names of media with all pictures in them."""


def write_joblist(folder: Path) -> Path:
    path = folder / "jobs.csv"
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["source_path", *(f"dest_{name}" for name in EXPORTS)])
        for number, name in enumerate(MESS):
            # Spreadsheets write the composed form, whatever the disk has.
            listed = unicodedata.normalize("NFC", name)
            dests = [folder / "out" / f"{number}.{suffix}" for suffix in EXPORTS.values()]
            writer.writerow([folder / "media" / listed, *dests])
        writer.writerows([[""] * (1 + len(EXPORTS))] * 200)
    return path


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, dict[str, Job]]:
    """Folder, all output, and the jobs by the name of their medium."""
    folder = tmp_path_factory.mktemp("mess")
    (folder / "media").mkdir()
    for name, make in MESS.items():
        make(folder / "media" / name)
    command = [sys.executable, ROOT / "ina_server.py", "localhost", write_joblist(folder)]
    command += ["--port", "0", "--ledger", folder / "jobs.ledger", "--workers", "2", "--fps", "5"]
    done = subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=800, cwd=folder
    )
    with closing(schema.connect(folder / "jobs.ledger", readonly=True)) as db:
        jobs = [queries.job(db, number) for number in range(1, len(MESS) + 1)]
    text = done.stdout + done.stderr
    assert done.returncode == 1, text
    return folder, text, dict(zip(MESS, jobs, strict=True))


def test_each_ends_done_or_partial_or_failed_with_a_sentence(ended) -> None:
    folder, text, jobs = ended
    assert len(jobs) == 60
    assert "Traceback" not in text
    for name, job in jobs.items():
        assert job.state in (State.DONE, State.FAILED), (name, job.error)
        if job.state is State.FAILED:
            assert job.error_kind == "input", (name, job.error)
            assert job.error is not None
            assert len(job.error) > 20, name
            assert str(folder / "media") in job.error, name
        else:
            assert "bug" not in describe(job), (name, describe(job))
            assert "please report" not in describe(job), (name, describe(job))


def test_what_has_all_its_pictures_has_its_tables(ended) -> None:
    folder, _, jobs = ended
    whole = [name for name in MESS if name.startswith(WHOLE) or name == NFD]
    assert len(whole) > 30
    for name in whole:
        assert jobs[name].state is State.DONE, (name, jobs[name].error)
        number = list(MESS).index(name)
        for suffix in ("csv", "ass", "html"):
            assert (folder / "out" / f"{number}.{suffix}").is_file(), name


def test_what_is_no_film_fails(ended) -> None:
    _, _, jobs = ended
    for name, job in jobs.items():
        if name.startswith(("G", "Q", "L nobody", "F 16")):
            assert job.state is State.FAILED, name
    assert {jobs[name].error.rpartition(": ")[2] for name in jobs if name[0] == "G"} == {
        "no picture in it, only sound or data"
    }


def test_what_is_cut_off_says_so(ended) -> None:
    _, _, jobs = ended
    for name in ("O half.ts", "O half.avi", "H two films.ogv"):
        assert "(partial: " in describe(jobs[name]), name


def test_nothing_else_is_left(ended) -> None:
    """Every file is of a manifest; one that could not be written is told."""
    folder, _, jobs = ended
    published = {
        Path(file.path).name
        for job in jobs.values()
        if job.manifest
        for file in job.manifest.files.values()
    }
    assert {p.name for p in (folder / "out").iterdir() if p.is_file()} == published
    for job in jobs.values():
        if job.manifest:
            assert {*job.manifest.files, *job.manifest.faults} == {*EXPORTS}
