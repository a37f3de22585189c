"""WebVTT captions that say who is on screen, for players and web pages.

A medium may start at another stamp than 0. Players count from its start; a browser's `<track>`
counts the stamps themselves. Captions for that one have `origin=media`, and say so in their first
line, from which the option is read again after a correction.
"""

import html
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from analyzer.errors import UsageError
from analyzer.export import _rows
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook
from ina_input import regular

_HEADER, _FROM_MEDIA = "WEBVTT - who is on screen", ", origin=media"
_ORIGINS = ("player", "media")


def create(*, origin: str = "player", runtime: Runtime) -> "VttExporter":
    """WebVTT, a cue an appearance; origin: player (its clock) or media (the file's stamps)."""
    if origin not in _ORIGINS:
        raise UsageError(f"vtt: origin={origin}: give player or media")
    return VttExporter(origin)


class VttExporter:
    """Writes captions; see `analyzer.export.KeepsOptions`.

    Args:
        origin: What times count from: `player` for the start of the medium, `media` for its 0.
    """

    suffix: ClassVar[str] = ".vtt"

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the cues in order of time; a medium without persons gives the header only.

        Raises:
            UsageError: The report is of stills, or too old to know where the medium starts.
            ResourceError: The file cannot be written.
        """
        _rows.require_video(report, "vtt")
        start_ms = _start_ms(report) if self._origin == "media" else 0
        with open_text(path) as stream:
            stream.write(_HEADER + (_FROM_MEDIA if self._origin == "media" else "") + "\n")
            stream.writelines(_cues(report, start_ms))

    def spec_of(self, path: Path) -> str:
        """Return the spec of the exporter that wrote a file."""
        with regular.open_text(path, errors="replace") as stream:
            is_of_media = stream.readline(len(_HEADER + _FROM_MEDIA)) == _HEADER + _FROM_MEDIA
        return "vtt:origin=media" if is_of_media else "vtt"


def _start_ms(report: MediaReport) -> int:
    start_s = report.info.start_s
    if start_s is None:
        raise UsageError(
            f"{report.info.uri}: an older version made the report, and does not say where the "
            "medium starts: analyse it again for vtt:origin=media"
        )
    return round(start_s * 1000)


def _cues(report: MediaReport, start_ms: int) -> Iterator[str]:
    """Yield `person-0-1`, the times and the text: the second stretch that shows person 0.

    What is before 0, which WebVTT cannot say, is left out.
    """
    for appearance in _rows.appearances(report):
        start, end = (start_ms + ms for ms in (appearance.start_ms, appearance.end_ms))
        if end <= 0:
            continue
        times = f"{_timestamp(max(0, start))} --> {_timestamp(end)}"
        text = escape(_rows.summary(appearance.person))
        yield f"\nperson-{appearance.person.person_id}-{appearance.number}\n{times}\n{text}\n"


def escape(text: str) -> str:
    """Escape a text, so that it is shown literally: references for markup and line ends."""
    plain = html.escape(text, quote=False)
    return "".join(f"&#{ord(c)};" if unicodedata.category(c) == "Cc" else c for c in plain)


def _timestamp(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
