"""W3C Web Annotations as JSON-LD: one per face and sampled frame, or per face of a still.

The model is https://www.w3.org/TR/annotation-model/; time and box are a media fragment
(https://www.w3.org/TR/media-frags/): `t=0.844,1.044&xywh=pixel:10,20,100,120`.
"""

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from analyzer.export import _addresses, _rows
from analyzer.files.text import open_text
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook

_CONTEXT = "http://www.w3.org/ns/anno.jsonld"
_FRAGMENTS = "http://www.w3.org/TR/media-frags/"


def create(*, runtime: Runtime) -> "WebAnnotationExporter":
    """W3C Web Annotations: JSON-LD with media fragments."""
    return WebAnnotationExporter()


class WebAnnotationExporter:
    """Writes a collection with one page; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".webannotation.jsonld"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write an annotation per line; a medium without faces gives an empty page."""
        name = uuid.uuid5(uuid.NAMESPACE_URL, _addresses.file_url(report.info.uri)).urn
        collection, page = _collection(report, name), _page(name)
        with open_text(path) as stream:
            stream.write(
                f'{_unclosed_json(collection)}, "first": {_unclosed_json(page)}, "items": ['
            )
            for number, item in enumerate(_annotations(report, name)):
                stream.write(",\n" if number else "\n")
                json.dump(item, stream, ensure_ascii=False, allow_nan=False)
            stream.write("\n]}}\n")


def _unclosed_json(document: dict[str, Any]) -> str:
    """Return a JSON object without its end; a film has too many annotations for memory."""
    return json.dumps(document, ensure_ascii=False).removesuffix("}")


def _collection(report: MediaReport, name: str) -> dict[str, Any]:
    return {
        "@context": _CONTEXT,
        "id": name,
        "type": "AnnotationCollection",
        "label": f"faces of {Path(report.info.uri).name}",
        "total": len(report.observations),
    }


def _page(name: str) -> dict[str, Any]:
    return {"id": f"{name}#page-0", "type": "AnnotationPage", "partOf": name, "startIndex": 0}


def _annotations(report: MediaReport, name: str) -> Iterator[dict[str, Any]]:
    """Yield an annotation per row."""
    names, labels = _rows.names(report), _rows.row_labels(report)
    targets = _targets(report)
    rows = zip(report.row_persons().tolist(), labels, targets, strict=True)
    for number, (person, labels_of_row, target) in enumerate(rows):
        bodies = [{"type": "TextualBody", "purpose": "identifying", "value": names.get(person)}]
        tags = [
            {"type": "TextualBody", "purpose": "tagging", "value": f"{head}: {label}"}
            for head, label in labels_of_row.items()
            if label
        ]
        yield {
            "id": f"{name}#face-{number}",
            "type": "Annotation",
            "motivation": "identifying" if person in names else "tagging",
            "body": (bodies if person in names else []) + tags,
            "target": target,
        }


def _targets(report: MediaReport) -> Iterator[dict[str, Any]]:
    """Yield the medium's fragment that shows each row's face."""
    info, table = report.info, report.observations
    ends = (table.time_s + table.duration_s).tolist()
    video = "" if info.stills else _addresses.file_url(info.uri)
    rows = zip(
        table.frame.tolist(), table.time_s.tolist(), ends, _visible_boxes(report), strict=True
    )
    for frame, start, end, box in rows:
        time = "" if info.stills else f"t={start:.6f},{end:.6f}&"
        yield {
            "source": video or _addresses.file_url(info.stills[frame]),
            "selector": {
                "type": "FragmentSelector",
                "conformsTo": _FRAGMENTS,
                "value": f"{time}xywh=pixel:{','.join(map(str, box))}",
            },
        }


def _visible_boxes(report: MediaReport) -> list[list[int]]:
    """Return left, top, width and height of the part of each box that is in the picture."""
    boxes = _rows.boxes(report)
    limit = np.array([report.info.width_px, report.info.height_px] * 2)
    inside = np.clip(boxes, 0, np.where(limit > 0, limit, np.iinfo(np.int64).max))
    return np.hstack([inside[:, :2], inside[:, 2:] - inside[:, :2]]).tolist()
