"""WebVTT captions that say who is on screen, for players and web pages."""

import html
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from analyzer.export import _rows
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "VttExporter":
    """WebVTT: a cue for each stretch of time that shows a person."""
    return VttExporter()


class VttExporter:
    """Writes captions; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".vtt"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the cues in order of time; a medium without persons gives the header only.

        Raises:
            UsageError: The report is of stills.
            ResourceError: The file cannot be written.
        """
        _rows.require_video(report, "vtt")
        with open_text(path) as stream:
            stream.write("WEBVTT - who is on screen\n")
            stream.writelines(_cues(report))


def _cues(report: MediaReport) -> Iterator[str]:
    """Yield `person-0-1`, the times and the text: the second stretch that shows person 0."""
    for appearance in _rows.appearances(report):
        times = f"{_timestamp(appearance.start_ms)} --> {_timestamp(appearance.end_ms)}"
        text = escape(_rows.summary(appearance.person))
        yield f"\nperson-{appearance.person.person_id}-{appearance.number}\n{times}\n{text}\n"


def escape(text: str) -> str:
    """Escape a text, so that it is shown literally: references for markup and line ends."""
    plain = html.escape(text, quote=False)
    return "".join(f"&#{ord(c)};" if unicodedata.category(c) == "Cc" else c for c in plain)


def _timestamp(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}.{rest:03d}"
