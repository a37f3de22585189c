"""Media with known truth, made by ffmpeg, and what ffprobe says of a file."""

import json
import shutil
import struct
import subprocess
import zlib
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import imageio_ffmpeg
import numpy as np
import pytest

FFMPEG = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()


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


def probe(path: Path, *arguments: str) -> dict[str, Any]:
    """What ffprobe says, as JSON; skips the test where there is no ffprobe."""
    binary = shutil.which("ffprobe")
    if binary is None:
        pytest.skip("ffprobe is not installed; it comes with the system's ffmpeg package")
    command = [binary, "-v", "error", "-of", "json", *arguments, str(path)]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))


def player_times(path: Path) -> list[float]:
    """Time of every picture on the player's clock, by ffprobe."""
    start = Fraction(probe(path, "-show_format")["format"]["start_time"])
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
