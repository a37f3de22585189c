"""Who is on screen when, as RTTM lines, for programs that score diarisation.

A line per stretch of time, in the ten fields of NIST's "Rich Transcription Time Marked" that
diarisation uses: `SPEAKER film 1 0.844 3.200 <NA> <NA> Grace <NA> <NA>`.
"""

import unicodedata
from pathlib import Path
from typing import ClassVar

from analyzer.export import _rows
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook

_MARKUP = frozenset('%"<>;')
"""Characters with another meaning in RTTM or in programs that read it."""
_MISSING = frozenset(
    ("#n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "n/a", "na", "nan")
) | {"nat", "none", "null"}
"""Words, in lower case, that tables know as no value: pandas reads RTTM as one, for pyannote."""


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
        _rows.require_video(report, "rttm")
        medium = field(Path(report.info.uri).stem)
        with open_text(path) as stream:
            for appearance in _rows.appearances(report):
                start = appearance.start_ms / 1000
                length = (appearance.end_ms - appearance.start_ms) / 1000
                speaker = field(_rows.name(appearance.person))
                stream.write(
                    f"SPEAKER {medium} 1 {start:.3f} {length:.3f} <NA> <NA> {speaker} <NA> <NA>\n"
                )


def field(text: str) -> str:
    """Return a text as one field: blanks, unprintable characters and markup in percent encoding.

    The encoding is that of addresses (UTF-8, `%20` for a space), so that the library of every
    programming language decodes it. So is the first character of a word for a missing value.
    """
    first, rest = (text[:1], text[1:]) if text.lower() in _MISSING else ("", text)
    encoded = "".join(_percent_encoded(c) if _is_special(c) else c for c in rest)
    return _percent_encoded(first) + encoded


def _is_special(character: str) -> bool:
    return character in _MARKUP or character.isspace() or unicodedata.category(character)[0] in "CZ"


def _percent_encoded(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogateescape"))
