"""FCPXML 1.9: who is on screen, for Final Cut Pro, DaVinci Resolve and what else reads it.

Each person has a lane over an empty storyline. Of a cut list, the clips are the storyline. Times
are fractions of a second, and always those of a picture.
"""

from pathlib import Path
from typing import Any, ClassVar

from lxml import etree
from lxml.builder import E

from analyzer.export import _addresses, _rows
from analyzer.export._timeline import PersonClip, PersonTimeline, TimelineExporter, one_line
from analyzer.files.atomic import writing
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport
from ina_input import regular

_FORMAT, _MEDIUM = "r1", "r2"


def create(*, person: str | None = None, runtime: Runtime) -> "FcpxmlExporter":
    """FCPXML, a lane a person; person: a cut list of this one, by name or number."""
    return FcpxmlExporter(person)


class FcpxmlExporter(TimelineExporter):
    """Writes FCPXML; see `TimelineExporter`."""

    name: ClassVar[str] = "fcpxml"
    suffix: ClassVar[str] = ".persons.fcpxml"

    def _write(self, whole: PersonTimeline, report: MediaReport, path: Path) -> None:
        root = E.fcpxml(_resources(whole, report), _project(whole), version="1.9")
        with writing(path):
            path.write_bytes(
                etree.tostring(
                    root,
                    encoding="UTF-8",
                    xml_declaration=True,
                    pretty_print=True,
                    doctype="<!DOCTYPE fcpxml>",
                )
            )

    def _title(self, path: Path) -> str:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            root = etree.fromstring(regular.read_bytes(path), parser)
        except etree.XMLSyntaxError as error:
            raise ValueError(str(error)) from error
        return str(root.xpath("string(library/event/project/@name)"))


def _resources(whole: PersonTimeline, report: MediaReport) -> Any:
    info = report.info
    return E.resources(
        E.format(
            id=_FORMAT,
            frameDuration=_seconds(1, whole),
            width=str(info.width_px),
            height=str(info.height_px),
        ),
        E.asset(
            E("media-rep", kind="original-media", src=_addresses.file_url(info.uri)),
            id=_MEDIUM,
            name=one_line(Path(info.uri).name),
            start=_seconds(whole.source_start, whole),
            duration=_seconds(whole.source_length, whole),
            hasVideo="1",
            format=_FORMAT,
        ),
    )


def _project(whole: PersonTimeline) -> Any:
    spine = E.spine()
    lanes = [(lane, clip) for lane, track in enumerate(whole.tracks, 1) for clip in track.clips]
    if whole.is_cut_list:
        spine.extend(_clip(clip, whole) for _, clip in lanes)
    elif lanes:
        start, length = (_seconds(n, whole) for n in (whole.record_start, whole.record_length))
        spine.append(
            E.gap(
                *(_clip(clip, whole, lane=lane) for lane, clip in lanes),
                name="Gap",
                offset=start,
                start=start,
                duration=length,
            )
        )
    sequence = E.sequence(
        spine,
        format=_FORMAT,
        duration=_seconds(whole.record_length, whole),
        tcStart=_seconds(whole.record_start, whole),
        tcFormat="DF" if whole.counts.drop else "NDF",
    )
    return E.library(E.event(E.project(sequence, name=whole.title), name=whole.title))


def _clip(clip: PersonClip, whole: PersonTimeline, lane: int | None = None) -> Any:
    return E(
        "asset-clip",
        {"lane": str(lane)} if lane else {},
        ref=_MEDIUM,
        name=one_line(_rows.name(clip.person)),
        offset=_seconds(clip.record, whole),
        start=_seconds(clip.source, whole),
        duration=_seconds(clip.length, whole),
        tcFormat="DF" if whole.counts.drop else "NDF",
    )


def _seconds(frames: int, whole: PersonTimeline) -> str:
    """Return a number of pictures as seconds, such as `1001/30000s`."""
    rate = whole.counts.rate
    numerator = frames * rate.denominator
    if numerator % rate.numerator == 0:
        return f"{numerator // rate.numerator}s"
    return f"{numerator}/{rate.numerator}s"
