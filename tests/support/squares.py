"""A video of a white square that moves, which every browser plays, and a report of it."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport
from tests.support.reports import Face, make_report

SIZE = (320, 180)
SQUARE = 40
WEIRD = "{\\an8}<b>=1+1\"'\n😀</script><!--"
"""A name."""
STAMPS_MS = (0, 40, 80, 160, 193, 300, 1000, 1040, 1080, 1120, 1500, 1540)


def square_at(index: int) -> tuple[int, int, int, int]:
    """Where the white square of a picture is."""
    x, y = 10 + 12 * index, 60 + 3 * index
    return x, y, x + SQUARE, y + SQUARE


def video(path: Path, stamps_ms: Sequence[int]) -> Path:
    """A video of a white square that moves, with a picture at each of the times."""
    with av.open(str(path), "w", format="webm") as out:
        stream = out.add_stream("libvpx", rate=25, options={"b": "2M", "auto-alt-ref": "0"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for index, stamp in enumerate(stamps_ms):
            picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
            x1, y1, x2, y2 = square_at(index)
            picture[y1:y2, x1:x2] = 255
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = stamp, Fraction(1, 1000)
            out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def filmed(folder: Path, *, origin_ms: int = 0, **values: Any) -> MediaReport:
    """A report of a video of a square, with the square as its box; pictures 6 and 7 have none.

    The square of pictures 0 to 5 is track 0, of pictures 8 and 9 track 3, then track 4.
    """
    stamps = [stamp + origin_ms for stamp in STAMPS_MS]
    video(folder / "film.webm", stamps)
    times = [stamp / 1000 for stamp in STAMPS_MS]
    ends = [*times[1:], times[-1] + 0.04]
    tracks = [0] * 6 + [None] * 2 + [3] * 2 + [4] * 2
    faces = [
        Face(i, times[i], square_at(i), track=track, duration_s=ends[i] - times[i])
        for i, track in enumerate(tracks)
        if track is not None
    ]
    values = {"persons": {0: 0, 3: 1, 4: 1}, "names": {0: "Ada"}, **values}
    report = make_report(
        faces, size=SIZE, duration_s=ends[-1], uri=str(folder / "film.webm"), **values
    )
    table = replace(report.observations, picture_px=np.full(10, np.prod(SIZE), np.float32))
    shots = np.array([[0, 1], [1, ends[-1]]], np.float64)
    return replace(report, observations=table, shots=shots)


def write(exporter: Any, report: MediaReport, path: Path) -> Path:
    """Write a file of an exporter's module."""
    exporter.create(runtime=Runtime()).write(report, path)
    return path
