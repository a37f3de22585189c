"""Films that made libraries raise what they like: odd titles, unknown formats, joins, covers."""

import errno
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import av.error
import pytest
from PIL import Image

from analyzer.__main__ import main
from analyzer.errors import InputError, ResourceError
from analyzer.files import containers, source
from analyzer.inference.runtime import Runtime
from analyzer.stages.decode import video
from tests.support import media
from tests.support.processes import ROOT

PIXELS = {"mjpeg": "yuvj420p"}
FAST = ["--fps", "2", "--shots", "none"]
CODECS = {
    ".mp3": ["-c:a", "libmp3lame"],
    ".flac": ["-c:a", "flac"],
    ".m4a": ["-c:a", "aac"],
    ".mp4": ["-c:a", "aac"],
}


def read(path: Path) -> tuple[int, int]:
    """Number of pictures, and of damages."""
    with video.create(runtime=Runtime()).open(str(path)) as medium:
        return sum(1 for _ in medium.frames()), medium.damaged


def picture(folder: Path, side: int = 640) -> Path:
    path = folder / "cover.jpg"
    Image.effect_noise((side, side), 90).convert("RGB").save(path)
    return path


def replaced(path: Path, old: bytes, new: bytes) -> Path:
    assert len(old) == len(new)
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new))
    return path


@pytest.mark.parametrize("suffix", CODECS)
def test_cover_art_is_no_film(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"song{suffix}"
    media.ffmpeg(
        "-f", "lavfi", "-i", "sine=duration=1", "-i", picture(tmp_path), "-map", "0", "-map", "1",
        *CODECS[suffix], "-c:v", "mjpeg", "-disposition:v", "attached_pic", path,
    )  # fmt: skip
    with pytest.raises(InputError, match="no picture in it, only sound or data"):
        read(path)


def test_a_picture_attached_to_sound_in_matroska_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "song.mka"
    media.ffmpeg(
        "-f", "lavfi", "-i", "sine=duration=1", "-attach", picture(tmp_path),
        "-metadata:s:t", "mimetype=image/jpeg", path,
    )  # fmt: skip
    with pytest.raises(InputError, match="no picture in it, only sound or data"):
        read(path)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("marks", [("attached_pic", "0"), ("default", "0")])
def test_a_film_with_a_cover_is_the_film(marks: tuple[str, str], suffix: str, tmp_path) -> None:
    """The cover comes first, is larger, and may be the default stream."""
    film, path = media.video(tmp_path / "a.mp4", rate="10", seconds=1), tmp_path / f"b{suffix}"
    media.ffmpeg(
        "-i", picture(tmp_path), "-i", film, "-map", "0:v", "-map", "1", "-c", "copy",
        "-c:v:0", "mjpeg", "-disposition:v:0", marks[0], "-disposition:v:1", marks[1], path,
    )  # fmt: skip
    assert read(path) == (10, 0)
    assert main(["analyze", str(path), "-o", str(tmp_path / "out"), "--export", "mp4", *FAST]) == 0
    (shown,) = [s for s in media.streams(tmp_path / "out" / "b.mp4") if s.kind == "video"]
    assert shown.size == (320, 240)


def test_motion_jpeg_is_a_film(tmp_path: Path) -> None:
    path = tmp_path / "a.avi"
    media.ffmpeg("-f", "lavfi", "-i", "testsrc=r=10:d=1", "-c:v", "mjpeg", path)
    assert read(path) == (10, 0)


@pytest.mark.parametrize("suffix", [".avi", ".mkv", ".mp4", ".flv"])
def test_a_title_that_is_not_utf8(suffix: str, tmp_path: Path) -> None:
    film, path = media.video(tmp_path / "a.mp4", rate="10", seconds=1), tmp_path / f"t{suffix}"
    sound = ["-c:a", "copy"]
    media.ffmpeg("-i", film, "-metadata", "title=Caf@ X", "-c:v", "copy", *sound, path)
    replaced(path, b"Caf@ X", b"Caf\xe9 X")
    assert read(path) == (10, 0)
    out = tmp_path / "out"
    exports = "csv,html,mp4,xlsx"
    assert main(["analyze", str(path), "-o", str(out), "--export", exports, *FAST]) == 0
    assert len(list(out.glob("t.*"))) == 4


def unknown_avi(folder: Path) -> Path:
    path = folder / "u.avi"
    media.ffmpeg("-f", "lavfi", "-i", "testsrc=r=10:d=1", "-c:v", "mpeg4", "-vtag", "XVID", path)
    return replaced(path, b"XVID", b"ZZ9Q")


def unknown_mp4(folder: Path) -> Path:
    return replaced(media.video(folder / "u.mp4", seconds=1), b"avc1", b"zz9q")


@pytest.mark.parametrize("make", [unknown_avi, unknown_mp4])
def test_an_unknown_format_of_pictures_fails_alone(
    make: Callable[[Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, other = make(tmp_path), media.video(tmp_path / "v.mp4", seconds=1)
    out = tmp_path / "out"
    argv = ["analyze", str(path), str(other), "-o", str(out), "--export", "csv", *FAST]
    assert main(argv) == 1
    assert f"error: {path}: no decoder knows the format of its pictures" in capsys.readouterr().err
    assert (out / "v.csv").is_file()


def theora(path: Path, *, with_sound: bool) -> Path:
    sound = ["-f", "lavfi", "-i", "sine=duration=1"] if with_sound else []
    codecs = ["-c:v", "libtheora", "-c:a", "libvorbis", "-ac", "2"]
    pattern = ["-f", "lavfi", "-i", "testsrc=r=10:d=1"]
    media.ffmpeg(*pattern, *sound, *codecs, path)
    return path


@pytest.mark.parametrize("order", [(False, True), (True, False), (True, True)])
def test_two_ogg_films_one_behind_the_other(order: tuple[bool, bool], tmp_path: Path) -> None:
    """The first is read, and what cannot be read of the second is told."""
    parts = [theora(tmp_path / f"{n}.ogv", with_sound=sound) for n, sound in enumerate(order)]
    path = tmp_path / "two.ogv"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    pictures, damaged = read(path)
    assert pictures in range(8, 20)
    assert damaged or pictures > 10


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        (".mp4", "libx264"),
        (".mov", "mjpeg"),
        (".3gp", "libx264"),
        (".wmv", "wmv2"),
        (".flv", "libx264"),
        (".flv", "flv1"),
    ],
)
def test_two_films_of_which_the_first_alone_is_read(suffix: str, codec: str, tmp_path: Path):
    """What is not read is told, as damage."""
    parts = [tmp_path / f"{number}{suffix}" for number in (1, 2)]
    for part in parts:
        sound = ["-f", "lavfi", "-i", "sine=duration=1"] if suffix != ".3gp" else []
        pattern = ["-f", "lavfi", "-i", "testsrc2=s=320x240:r=10:d=1", *sound]
        media.ffmpeg(*pattern, "-c:v", codec, "-pix_fmt", PIXELS.get(codec, "yuv420p"), part)
    assert read(parts[0]) == (10, 0)
    path = tmp_path / f"joined{suffix}"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert read(path) == (10, 1)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_damaged_first_picture_is_counted(threads: int, tmp_path: Path) -> None:
    """It is a key frame: no start in the middle of a group explains what it lacks."""
    path = tmp_path / "s.mp4"
    noise = "testsrc2=s=320x240:r=10:d=1,noise=alls=40"
    media.ffmpeg("-f", "lavfi", "-i", noise, "-c:v", "libx264", "-pix_fmt", "yuv420p", path)
    with av.open(str(path)) as container:
        first = next(container.demux(video=0))
    data = bytearray(path.read_bytes())
    middle = first.pos + first.size // 2
    data[middle : middle + 300] = bytes(value ^ 0xFF for value in data[middle : middle + 300])
    path.write_bytes(data)
    decoder = video.create(runtime=Runtime(threads=threads))
    for careful in (False, True):
        with decoder.open(str(path), careful=careful) as medium:
            count = sum(1 for _ in medium.frames())
        if not medium.needs_care:
            break
    assert (count, medium.damaged) == (10, 1)


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Tells what becomes of an error that a library raises while a film is read."""
    path = media.video(tmp_path / "a.mp4", rate="10", seconds=1)

    def tell(error: BaseException) -> str:
        with pytest.raises((InputError, ResourceError)) as caught, containers.explained(str(path)):
            raise error
        assert str(path) in str(caught.value)
        return f"{caught.value.kind}: {str(caught.value).removeprefix(str(path))}"

    yield tell
    shutil.rmtree(tmp_path, ignore_errors=True)


FAULTS = {
    "of FFmpeg": (av.error.InvalidDataError(1, "Invalid data"), "input: : cannot be decoded (Inv"),
    "of FFmpeg and the system": (av.error.PermissionError(1, "Not permitted"), "input: : cannot"),
    "of a text": (UnicodeDecodeError("utf-8", b"\xe9", 0, 1, "end"), "(UnicodeDecodeError: 'utf-8"),
    "of a number": (OverflowError("too large for C"), "(OverflowError: too large for C)"),
    "of a library": (AttributeError("no name"), "(AttributeError: no name)"),
    "of a value": (ValueError("bad"), "(ValueError: bad)"),
    "like a disk's": (OSError(errno.EIO, "Input/output error"), "input: : cannot be decoded (Inp"),
    "of memory": (MemoryError(), "resource: : out of memory"),
    "of an absurd size": (av.error.MemoryError(12, "Cannot allocate"), "cannot be decoded (Cannot"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_is_raised_names_the_film(fault: str, raised: Callable[..., str]) -> None:
    error, says = FAULTS[fault]
    assert says in raised(error)


def test_memory_of_ffmpeg_that_gives_out_is_no_fault_of_the_film(
    raised: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # More than any machine has.
    monkeypatch.setattr(containers, "_AMPLE_BYTES", 1 << 62)
    said = raised(av.error.MemoryError(12, "Cannot allocate memory"))
    assert said == "resource: : out of memory; try a smaller --batch_size"


def test_asking_for_memory_takes_none() -> None:
    code = "from analyzer.files import containers; assert containers._has_memory(); "
    command = [sys.executable, "-c", code + media.PRINT_PEAK]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert int(done.stdout) < 300_000


def test_a_disk_that_does_not_work_is_no_fault_of_the_film(
    raised: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The only thing that cannot be had: a disk that fails.
    def fail(path: str) -> int:
        raise OSError(errno.EIO, "Input/output error", path)

    monkeypatch.setattr(source, "open_file", fail)
    said = raised(OSError(errno.EIO, "Input/output error"))
    assert said == "resource: : Input/output error; check its disk or mount"


def test_every_place_that_opens_a_medium_takes_any_title_and_explains_any_error() -> None:
    """One place translates what libraries raise, and one says which stream is the film."""
    for path in sorted((ROOT / "analyzer").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        opened = [call for call in text.split("av.open(")[1:] if '"w"' not in call[:80]]
        assert all('metadata_errors="replace"' in call[:200] for call in opened), path
        assert not opened or "explained(" in text, path
        assert "streams.best(" not in text or path.name == "containers.py", path
