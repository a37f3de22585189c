"""CVAT 1.1 for video: the tracks as boxes to be corrected, with name, sex and age.

CVAT fills in the pictures between two boxes of a track, as the subtitle does: see `_spans.spans`.
Where a box stays until a cut, it comes again in the last picture before; so that CVAT shows no face
where there was none, a track that leaves the picture ends in a box that is `outside`.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar

from lxml import etree
from lxml.builder import E

from analyzer.export import _rows, _timeline, _xml
from analyzer.export._shown import spans
from analyzer.files.atomic import writing
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook

_LABEL = "face"
_UNKNOWN = "unknown"
_ATTRIBUTES = {"name": (), "sex": ("m", "f", _UNKNOWN), "age": ()}
"""Attribute of a track -> values to choose from; none for free text."""


def create(*, runtime: Runtime) -> "CvatExporter":
    """CVAT 1.1 for video: tracks of faces, with name, sex and age."""
    return CvatExporter()


class CvatExporter:
    """Writes CVAT's XML; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".cvat.xml"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the document; a medium without faces gives the description of the task only.

        Raises:
            UsageError: The report is of stills.
            ResourceError: The file cannot be written.
        """
        _rows.require_video(report, "cvat")
        with (
            writing(path),
            path.open("wb") as stream,
            etree.xmlfile(stream, encoding="utf-8") as file,
        ):
            file.write_declaration()
            header = (E.version("1.1"), _task_description(report))
            with file.element("annotations"):
                for element in chain(header, _track_elements(report)):
                    file.write("\n", element)


def _task_description(report: MediaReport) -> Any:
    """Return the description of the task; a task in CVAT needs a label with the same attributes."""
    info, table = report.info, report.observations
    count = max(report.tally.frames_decoded, int(table.frame.max(initial=-1)) + 1)
    attributes = [
        E.attribute(
            E.name(name),
            E.mutable("False"),
            E.input_type("select" if values else "text"),
            E.default_value(values[-1] if values else ""),
            E.values("\n".join(values)),
        )
        for name, values in _ATTRIBUTES.items()
    ]
    width, height = _rows.stored_size(report)
    task = E.task(
        E.name(_xml.valid_text(Path(info.uri).name)),
        E.size(str(count)),
        E.mode("interpolation"),
        E.overlap("0"),
        E.start_frame("0"),
        E.stop_frame(str(max(0, count - 1))),
        E.frame_filter(""),
        E.labels(E.label(E.name(_LABEL), E.attributes(*attributes))),
        E.original_size(E.width(str(width)), E.height(str(height))),
    )
    return E.meta(task)


def _track_elements(report: MediaReport) -> Iterator[Any]:
    """Yield the element of each track, with its boxes and attributes."""
    drawn = spans(report)
    names, boxes = _rows.names(report), _rows.stored_boxes(report)
    ends, frames = _timeline.end_frames(report, drawn.end_s), report.observations.frame
    for track in _rows.tracks(report):
        attributes = {
            "name": _xml.valid_text(names.get(track.person_id, "")),
            "sex": track.shown.get("sex") or _UNKNOWN,
            "age": track.shown.get("age", ""),
        }
        element = E.track(id=str(track.track_id), label=_LABEL, source="auto")
        following = [*frames[track.rows[1:]].tolist(), None]
        for row, after in zip(track.rows.tolist(), following, strict=True):
            frame, end, box = int(frames[row]), ends[row], boxes[row].tolist()
            element.append(_box_element(frame, box, attributes, outside=False))
            if end is None or drawn.after[row] != row:
                continue
            if after is None or frame < end < after:
                element.append(_box_element(end, box, attributes, outside=True))
            elif frame < end - 1:
                element.append(_box_element(end - 1, box, attributes, outside=False))
        yield element


def _box_element(
    frame: int, box: Sequence[int], attributes: Mapping[str, str], *, outside: bool
) -> Any:
    corners = dict(zip(("xtl", "ytl", "xbr", "ybr"), map(str, box), strict=True))
    return E.box(
        *(E.attribute(text, name=name) for name, text in attributes.items()),
        frame=str(frame),
        keyframe="1",
        outside=str(int(outside)),
        occluded="0",
        z_order="0",
        **corners,
    )
