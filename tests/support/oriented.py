"""Films that are stored mirrored and turned, and say so in their container or their codec."""

import subprocess
from pathlib import Path

import av
import numpy as np

from tests.support import media

ORIENTATIONS = [(turns, mirrored) for mirrored in (False, True) for turns in range(4)]
"""Quarter turns, counterclockwise, that make a stored picture upright, and whether it is mirrored
before."""
CARRIERS = ("mp4", "mkv", "sei")
"""What states the orientation: two containers, or H.264."""


def stored(upright: np.ndarray, turns: int, mirrored: bool) -> np.ndarray:
    """The picture (h, w, 3) that is stored, of one that is to be shown."""
    turned = np.rot90(upright, -turns)
    return np.ascontiguousarray(turned[:, ::-1] if mirrored else turned)


def film(
    folder: Path, pictures: list[np.ndarray], turns: int, mirrored: bool, carrier: str
) -> Path:
    """Write a film of upright pictures (h, w, 3) with a tone, 25 a second."""
    plain = folder / "plain.mp4"
    raw = [stored(picture, turns, mirrored) for picture in pictures]
    height, width = raw[0].shape[:2]
    command = [
        *(media.FFMPEG, "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24"),
        *("-s", f"{width}x{height}", "-framerate", "25", "-i", "pipe:"),
        *("-f", "lavfi", "-i", f"sine=duration={len(pictures) / 25}", "-c:a", "aac"),
        *("-c:v", "libx264", "-crf", "10", "-pix_fmt", "yuv420p", str(plain)),
    ]
    data = b"".join(picture.tobytes() for picture in raw)
    subprocess.run(command, input=data, check=True, capture_output=True, timeout=60)
    if carrier == "sei":
        said = f"display_orientation=insert:rotate={90 * turns}" + ":flip=horizontal" * mirrored
        path = folder / "sei.mp4"
        media.ffmpeg("-i", plain, "-c", "copy", "-bsf:v", f"h264_metadata={said}", path)
        return path
    state_matrix(plain, matrix(turns, mirrored))
    return plain if carrier == "mp4" else copy(plain, folder / f"copy.{carrier}")


def matrix(turns: int, mirrored: bool) -> tuple[float, float, float, float]:
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


def copy(source: Path, path: Path) -> Path:
    """Copy a film into another container, with its orientation."""
    with av.open(str(source)) as given, av.open(str(path), "w") as out:
        streams = {s.index: out.add_stream_from_template(s) for s in given.streams}
        for packet in given.demux():
            if packet.size:
                packet.stream = streams[packet.stream.index]
                out.mux(packet)
    return path
