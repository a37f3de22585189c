"""OpenTimelineIO timeline: who is on screen, for editing programs and those who write them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import opentimelineio as otio

from analyzer.export import _addresses, _rows
from analyzer.export._timeline import (
    PersonClip,
    PersonTimeline,
    PersonTrack,
    TimelineExporter,
    one_line,
)
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport
from ina_input import documents


def create(*, person: str | None = None, runtime: Runtime) -> "OtioExporter":
    """OpenTimelineIO, a track a person; person: a cut list of this one, by name or number."""
    return OtioExporter(person)


class OtioExporter(TimelineExporter):
    """Writes OpenTimelineIO's JSON; see `TimelineExporter`."""

    name: ClassVar[str] = "otio"
    suffix: ClassVar[str] = ".persons.otio"

    def _write(self, whole: PersonTimeline, report: MediaReport, path: Path) -> None:
        rate = float(whole.counts.rate)
        document = otio.schema.Timeline(
            whole.title, global_start_time=otio.opentime.RationalTime(whole.record_start, rate)
        )
        medium = otio.schema.ExternalReference(
            _addresses.file_url(report.info.uri),
            available_range=_range(whole.source_start, whole.source_length, rate),
        )
        medium.name = one_line(Path(report.info.uri).name)
        for track in whole.tracks:
            items = list(_items(track, whole.record_start, rate, medium))
            document.tracks.append(otio.schema.Track(track.name, items))
        with open_text(path) as stream:
            stream.write(otio.adapters.write_to_string(document, "otio_json") + "\n")

    def _title(self, path: Path) -> str:
        plain = documents.read(path)
        return str(plain.get("name", "")) if isinstance(plain, dict) else ""


def _items(track: PersonTrack, start: int, rate: float, medium: Any) -> Iterator[Any]:
    """Yield the clips of a track, and the gaps before them."""
    for clip in track.clips:
        if clip.record > start:
            yield otio.schema.Gap(source_range=_range(0, clip.record - start, rate))
        yield _clip(clip, rate, medium)
        start = clip.record + clip.length


def _clip(clip: PersonClip, rate: float, medium: Any) -> Any:
    return otio.schema.Clip(
        one_line(_rows.name(clip.person)),
        media_reference=medium.clone(),
        source_range=_range(clip.source, clip.length, rate),
    )


def _range(start: int, length: int, rate: float) -> Any:
    return otio.opentime.TimeRange(
        otio.opentime.RationalTime(start, rate), otio.opentime.RationalTime(length, rate)
    )
