"""Subtitle with a box and a label per face, for VLC, mpv and ffmpeg."""

from pathlib import Path
from typing import ClassVar

from analyzer.export import _subtitles
from analyzer.export._rows import require_video
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "AssExporter":
    """Subtitle with a box and a label per face, for VLC, mpv and ffmpeg."""
    return AssExporter()


class AssExporter:
    """Writes Advanced SubStation Alpha; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".ass"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the subtitle; a medium without faces gives the header only.

        Raises:
            UsageError: The report is of a still.
            ResourceError: The file cannot be written.
        """
        require_video(report, "ass")
        with open_text(path) as stream:
            stream.writelines(_subtitles.lines(report))
