"""Media with known truth, made by ffmpeg, and what PyAV and ffprobe say of a file."""

import importlib.util
import json
import shutil
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest

from analyzer.files.ffmpeg import find_ffmpeg
from tests.support.processes import ROOT

FFMPEG = find_ffmpeg()


def ffmpeg(*arguments: str | Path) -> None:
    """Run ffmpeg quietly; fail loudly."""
    command = [FFMPEG, "-v", "error", "-y", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def video(
    path: Path, *, rate: str = "30000/1001", seconds: float = 2, size: str = "320x240"
) -> Path:
    """A test pattern with a tone."""
    ffmpeg(
        "-f", "lavfi", "-i", f"testsrc=rate={rate}:size={size}:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=duration={seconds}",
        "-pix_fmt", "yuv420p", "-g", "15", "-c:a", "aac", path,
    )  # fmt: skip
    return path


def player_times(path: Path) -> list[float]:
    """Time of every picture on the player's clock, by PyAV."""
    with av.open(str(path)) as container:
        start = Fraction(container.start_time or 0, av.time_base)
        shown = [frame.pts * frame.time_base for frame in container.decode(video=0)]
    return [float(time - start) for time in shown]


@dataclass(frozen=True)
class Stream:
    """What a file says of a stream."""

    kind: str
    codec: str
    size: tuple[int, int] | None
    """Width and height; `None` for sound, as what follows."""
    aspect: Fraction | None
    """Width of a pixel for each unit of its height."""
    pixels: str | None
    """Format of the pixels, as FFmpeg has it."""


def streams(path: Path) -> list[Stream]:
    """The streams of pictures and sound of a file."""
    with av.open(str(path)) as container:
        return [
            Stream(
                kind=stream.type,
                codec=stream.codec.canonical_name,
                size=(stream.width, stream.height) if stream.type == "video" else None,
                aspect=stream.sample_aspect_ratio if stream.type == "video" else None,
                pixels=stream.pix_fmt if stream.type == "video" else None,
            )
            for stream in container.streams
            if stream.type in ("video", "audio")
        ]


def sounds(path: Path) -> list[str]:
    """Codec of each stream of sound."""
    return [stream.codec for stream in streams(path) if stream.kind == "audio"]


def heard(path: Path) -> tuple[int, int, float, float]:
    """Number of channels, sampling rate, seconds and loudness (of the first channel) of a sound."""
    with av.open(str(path)) as container:
        (stream,) = container.streams.audio
        context = stream.codec_context
        channels, rate, count, loudness = context.channels, context.sample_rate, 0, 0.0
        for frame in container.decode(stream):
            first = np.frombuffer(bytes(frame.planes[0]), np.float32)[: frame.samples]
            count, loudness = count + frame.samples, max(loudness, float(np.abs(first).max()))
    return channels, rate, count / rate, loudness


def picture_end(path: Path) -> float:
    """When the last picture ends, on the player's clock."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        end = (stream.start_time + stream.duration) * stream.time_base
        return float(end - Fraction(container.start_time or 0, av.time_base))


def length(path: Path) -> float:
    """Length of a file in seconds, as its container states it."""
    with av.open(str(path)) as container:
        return float(container.duration / av.time_base)


def probe(path: Path, *arguments: str) -> dict[str, Any]:
    """What ffprobe says, as JSON; skips the test where there is no ffprobe.

    It is a reader of its own: for tests of what PyAV itself reads.
    """
    binary = shutil.which("ffprobe")
    if binary is None:
        pytest.skip("ffprobe is not installed; it comes with the system's ffmpeg package")
    command = [binary, "-v", "error", "-of", "json", *arguments, str(path)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def probed_times(path: Path) -> list[float]:
    """Time of every picture on the player's clock, by ffprobe.

    Only the start is PyAV's: up to version 8.0, ffprobe counts the priming of sound in Matroska.
    """
    with av.open(str(path)) as container:
        start = Fraction(container.start_time or 0, av.time_base)
    frames = probe(path, "-select_streams", "v:0", "-show_frames")["frames"]
    return [float(Fraction(f["best_effort_timestamp_time"]) - start) for f in frames]


def black_png(width: int, height: int) -> bytes:
    """A black picture in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    data = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def long_video(path: Path, **options: str) -> Path:
    """Two pictures, a day apart and more."""
    whole = video(path.with_name("whole.mp4"), seconds=0.1)
    with av.open(str(whole)) as given, av.open(str(path), "w", options=options) as out:
        stream = out.add_stream_from_template(given.streams.video[0])
        for number, packet in enumerate(given.demux(video=0)):
            if packet.size and number < 2:
                packet.stream, packet.time_base = stream, Fraction(1, 1000)
                packet.pts = packet.dts = number * 90_000_000
                packet.duration = 40
                out.mux(packet)
    return path


PRINT_PEAK = "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"
"""Code that prints a process's own peak memory in KiB; what it asks of resource.getrusage would
include its parent's, from before the program was exchanged."""


def astronaut() -> np.ndarray:
    """A public portrait, with a face at `ASTRONAUT_FACE`."""
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut())


ASTRONAUT_FACE = np.array([[172, 62, 276, 192]], np.float32)


ORIENTATIONS = [(turns, mirrored) for mirrored in (False, True) for turns in range(4)]
"""Quarter turns, counterclockwise, that make a stored picture upright, and whether it is mirrored
before."""
CARRIERS = ("mp4", "mkv", "sei")
"""What states the orientation: two containers, or H.264."""


def stored_picture(upright: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """The picture (h, w, 3) that is stored, of one that is to be shown."""
    turned = np.rot90(upright, -turns)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)


def oriented_film(
    folder: Path, pictures: list[np.ndarray], turns: int, mirrored: bool, carrier: str
) -> Path:
    """Write a film of upright pictures (h, w, 3) with a tone, 25 a second."""
    plain = folder / "plain.mp4"
    raw = [stored_picture(picture, turns, mirrored) for picture in pictures]
    height, width = raw[0].shape[:2]
    command = [
        *(FFMPEG, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"),
        *("-s", f"{width}x{height}", "-framerate", "25", "-i", "pipe:"),
        *("-f", "lavfi", "-i", f"sine=duration={len(pictures) / 25}", "-c:a", "aac"),
        *("-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p", str(plain)),
    ]
    data = b"".join(picture.tobytes() for picture in raw)
    subprocess.run(command, input=data, check=True, capture_output=True, timeout=60)
    if carrier == "sei":
        said = f"display_orientation=insert:rotate={90 * turns}" + ":flip=horizontal" * mirrored
        path = folder / "sei.mp4"
        ffmpeg("-i", plain, "-c", "copy", "-bsf:v", f"h264_metadata={said}", path)
        return path
    state_matrix(plain, orientation_matrix(turns, mirrored))
    return plain if carrier == "mp4" else copy_streams(plain, folder / f"copy.{carrier}")


def orientation_matrix(turns: int, mirrored: bool) -> tuple[float, float, float, float]:
    """The numbers a, b, c, d: a pixel's step to the right becomes (a, b), one down (c, d)."""
    right, down = (-1.0 if mirrored else 1.0, 0.0), (0.0, 1.0)
    for _ in range(turns):
        right, down = (right[1], -right[0]), (down[1], -down[0])
    return *right, *down


def state_matrix(path: Path, numbers: tuple[float, float, float, float]) -> None:
    """Write a matrix into the header of an mp4's first track, its video."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (round(number * 65536) for number in numbers)
    for place, value in zip((0, 1, 3, 4), (a, b, c, d), strict=True):
        data[at + 4 * place : at + 4 * place + 4] = value.to_bytes(4, "big", signed=True)
    path.write_bytes(data)


def copy_streams(source: Path, path: Path) -> Path:
    """Copy a film into another container, with its orientation."""
    with av.open(str(source)) as given, av.open(str(path), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in given.streams}
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return path


def scene_maker() -> ModuleType:
    """The script that makes scenes, as a module."""
    spec = importlib.util.spec_from_file_location("make_scenes", ROOT / "media" / "make_scenes.py")
    assert spec
    assert spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def portraits(shared: Path) -> Path:
    """The folder of portraits; a test without it is skipped."""
    folder = shared / "media" / "images" / "lfw_subset"
    if not folder.is_dir():
        pytest.skip(f"no portraits: {folder} is missing")
    return folder


def labelled_sets(folder: Path, *, shared: Path, sample: Path) -> Path:
    """Make a folder like a checkout in which every labelled set is there; return its list.

    `media/sets.csv` names paths relative to itself; what is made is made anew.
    """
    checkout = folder / "checkout"
    (checkout / "media").mkdir(parents=True)
    (checkout / "tests").symlink_to(ROOT / "tests")
    (folder / "shared").symlink_to(shared)
    listed = shutil.copy(ROOT / "media" / "sets.csv", checkout / "media")
    for name in ("sample.mp4", "sample.labels.csv"):
        shutil.copy(sample / name, checkout / "media")
    script = scene_maker()
    for scene in script.SCENES:
        script.write(scene, portraits(shared), checkout / "media" / "scenes")
    return Path(listed)
