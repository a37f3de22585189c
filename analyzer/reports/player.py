"""A player for notebooks: a small copy of the video with the faces' boxes, in one piece of HTML.

It is offline: the copy is in the HTML, and nothing is loaded from anywhere.
"""

import base64
import json
import subprocess
import tempfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.errors import InputError, UsageError
from analyzer.files import source
from analyzer.files.ffmpeg import find_ffmpeg
from analyzer.types import MediaReport

LONGEST_S = 120.0
"""Seconds that are shown where no end is given: an hour would be too large for a notebook."""
_TEMPLATE = (Path(__file__).parent / "player.html").read_text(encoding="utf-8")


class Player:
    """Part of a video with boxes; a notebook shows it as the last value of a cell.

    Args:
        html: The page.
        text: What it is, in one line.
        size: Width and height of its picture in pixels.
    """

    def __init__(self, html: str, text: str, size: tuple[int, int]) -> None:
        self.html = html
        self._text, self._size = text, size

    def __repr__(self) -> str:
        return self._text

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, so that it and the notebook share no names."""
        width, height = self._size
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" width="{width}" '
            f'height="{height + 50}" style="border:0"></iframe>'
        )


def player(
    report: MediaReport, *, start: float = 0.0, stop: float | None = None, width: int = 480
) -> Player:
    """Return a player of a part of a video.

    Args:
        report: Report of a video that is still there.
        start: Start in seconds.
        stop: End in seconds; `None`: the video's, at most `LONGEST_S` after the start.
        width: Width of the copy in pixels.

    Raises:
        UsageError: No video, or a part that it does not have; or one with faces to be hidden.
        InputError: The video cannot be read.
        MissingDependency: There is no ffmpeg.
    """
    info = report.info
    end = min(info.duration_s, start + LONGEST_S if stop is None else stop)
    if info.kind != "video" or not 0 <= start < end:
        raise UsageError(f"player: {info.uri} shows nothing from {start} s to {end} s")
    if report.provenance["options"].get("anonymise"):
        raise UsageError(
            "player: faces are to be hidden, and it would show them: write(report, 'film.mp4'), "
            "and show that"
        )
    width = min(2 * round(width / 2), info.width_px)
    size = width, max(2, round(width * info.height_px / info.width_px))
    video = base64.b64encode(_copy(info.uri, start, end, size)).decode()
    data = {
        "start": start,
        "scale": width / info.width_px,
        "samples": list(_samples(report, start, end)),
    }
    # A name could end the script that holds it.
    text = json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")
    html = (
        _TEMPLATE.replace("{width}", str(size[0]))
        .replace("{height}", str(size[1]))
        .replace("{video}", video)
        .replace("{data}", text)
    )
    name = Path(info.uri).name
    return Player(html, f"<Player {name}, {start:.1f} to {end:.1f} s>", size)


def _copy(uri: str, start: float, end: float, size: tuple[int, int]) -> bytes:
    """Return a part of a video, small, as browsers play it."""
    # Refuses what is no regular file, before ffmpeg sees the path.
    descriptor = source.open_file(uri)
    even = 2 * round(size[1] / 2)
    with tempfile.TemporaryDirectory(prefix="ina-player-") as folder, open(descriptor, "rb"):
        path = Path(folder, "part.mp4")
        command = [
            *(find_ffmpeg(), "-v", "error", "-nostdin", "-protocol_whitelist", "file"),
            *("-format_whitelist", source.CONTAINERS, "-ss", f"{start:.3f}"),
            *("-i", f"file:{Path(uri).absolute()}", "-t", f"{end - start:.3f}"),
            *("-map", "0:v:0", "-map", "0:a:0?", "-vf", f"scale={size[0]}:{even}"),
            *("-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", "30", "-preset", "veryfast"),
            *("-c:a", "aac", "-ac", "2", "-b:a", "64k"),
            *("-map_metadata", "-1", "-movflags", "+faststart", str(path)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError(f"{uri}: no part of it can be copied: {done.stderr.strip()[-300:]}")
        return path.read_bytes()


def _samples(report: MediaReport, start: float, end: float) -> Iterator[list[Any]]:
    """Yield time, duration, box, person and label of each face in the part."""
    table = report.observations
    names = {p.person_id: p.name or f"person {p.person_id}" for p in report.persons}
    persons = report.row_persons()
    inside = (table.time_s < end) & (table.time_s + table.duration_s > start)
    for row in np.nonzero(inside)[0].tolist():
        person = int(persons[row])
        yield [
            round(float(table.time_s[row]), 3),
            round(float(table.duration_s[row]), 3),
            np.rint(table.boxes[row]).astype(int).tolist(),
            person,
            names.get(person, ""),
        ]
