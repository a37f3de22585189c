"""Who is on screen when, as RTTM lines, for programs that score diarisation.

A line a stretch of time, in the ten fields of NIST's "Rich Transcription Time Marked" that
diarisation uses: `SPEAKER film 1 0.844 3.200 <NA> <NA> Grace <NA> <NA>`.
"""

import unicodedata
from pathlib import Path
from typing import ClassVar

from analyzer.export import _rows
from analyzer.export._rows import require_video
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook

_MARKUP = frozenset('%"<>;')
"""What RTTM, or programs that read it, take for something else."""


def create(*, runtime: Runtime) -> "RttmExporter":
    """RTTM: a line for each stretch of time that shows a person."""
    return RttmExporter()


class RttmExporter:
    """Writes RTTM; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".rttm"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the lines in order of time; a medium without persons gives an empty file.

        Raises:
            UsageError: The report is of stills.
            ResourceError: The file cannot be written.
        """
        require_video(report, "rttm")
        medium = field(Path(report.info.uri).stem)
        with open_text(path) as stream:
            for a in _rows.appearances(report):
                start, length = a.start_ms / 1000, (a.end_ms - a.start_ms) / 1000
                speaker = field(_rows.name(a.person))
                stream.write(
                    f"SPEAKER {medium} 1 {start:.3f} {length:.3f} <NA> <NA> {speaker} <NA> <NA>\n"
                )


def field(text: str) -> str:
    """Make a text one field: blanks, unprintable characters and markup in percent encoding.

    The encoding is that of addresses (UTF-8, `%20` for a space), so that every language's
    library undoes it.
    """
    return "".join(_encoded(c) if _is_special(c) else c for c in text)


def _is_special(character: str) -> bool:
    return character in _MARKUP or character.isspace() or unicodedata.category(character)[0] in "CZ"


def _encoded(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))
