"""CMX 3600 edit decision list: who is on screen, for editing programs.

CMX 3600 knows one video track. More of them are numbered `V2`, `V3` here, as most programs that
read several do; OpenTimelineIO reads any.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from analyzer.export import _rows
from analyzer.export._timeline import PersonTimeline, TimelineExporter, one_line
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport
from ina_input import regular

_REEL_LENGTH = 8
_UNKNOWN_REEL = "AX"
_TITLE = "TITLE: "
_MAX_TITLE = 4096


def create(*, person: str | None = None, runtime: Runtime) -> "EdlExporter":
    """Edit decision list, a track a person; person: a cut list of this one, by name or number."""
    return EdlExporter(person)


class EdlExporter(TimelineExporter):
    """Writes CMX 3600; see `TimelineExporter`."""

    name: ClassVar[str] = "edl"
    suffix: ClassVar[str] = ".persons.edl"

    def _write(self, whole: PersonTimeline, report: MediaReport, path: Path) -> None:
        drop = "DROP FRAME" if whole.counts.drop else "NON-DROP FRAME"
        with open_text(path) as stream:
            stream.write(f"{_TITLE}{whole.title}\nFCM: {drop}\n\n")
            stream.writelines(_events(whole, Path(report.info.uri)))

    def _title(self, path: Path) -> str:
        with regular.open_text(path, errors="replace") as stream:
            return stream.readline(_MAX_TITLE).removeprefix(_TITLE).rstrip("\n")


def _events(whole: PersonTimeline, medium: Path) -> Iterator[str]:
    """Yield the event of each clip, in order of the tracks, with the medium's name and person's."""
    reel = re.sub(r"[^A-Za-z0-9_]", "", medium.stem)[:_REEL_LENGTH].upper() or _UNKNOWN_REEL
    number = 0
    for track, content in enumerate(whole.tracks, 1):
        channel = "V" if track == 1 else f"V{track}"
        for clip in content.clips:
            number += 1
            bounds = (
                clip.source,
                clip.source + clip.length,
                clip.record,
                clip.record + clip.length,
            )
            times = " ".join(map(whole.counts.text, bounds))
            yield f"{number:03}  {reel:8} {channel:5} C        {times}\n"
            yield f"* FROM CLIP NAME:  {one_line(medium.name)}\n"
            yield f"* COMMENT: {one_line(_rows.name(clip.person))}\n"
