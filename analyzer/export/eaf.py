"""ELAN document: a tier per person, with the times on screen, and one of the shots.

The format is EAF 3.0 (https://www.mpi.nl/tools/elan/EAFv3.0.xsd); times are milliseconds.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from lxml import etree

from analyzer.export import _addresses, _rows, _xml
from analyzer.files.atomic import writing
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook
from joblist.beneath import final_folder

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_SHOTS = "shots"
_DATE = "1980-01-01T00:00:00+00:00"
"""The schema requires a date; it is always the same: equal reports give equal bytes."""


def create(*, runtime: Runtime) -> "EafExporter":
    """ELAN document with a tier per person and one of the shots."""
    return EafExporter()


@dataclass(frozen=True)
class _Tier:
    """A row of ELAN's timeline."""

    name: str
    kind: str
    participant: str
    annotations: Sequence[tuple[int, int, str]]
    """Start and end in milliseconds, and text."""


class EafExporter:
    """Writes EAF; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".eaf"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the document; a medium without persons gives the tier of the shots only.

        Raises:
            UsageError: The report is of stills.
            ResourceError: The file cannot be written.
        """
        _rows.require_video(report, "eaf")
        root = _eaf_document(report, final_folder(path))
        with writing(path):
            path.write_bytes(
                etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
            )


def _eaf_document(report: MediaReport, folder: Path) -> Any:
    """Return the whole document; the schema prescribes the order of its parts."""
    tiers = [*_person_tiers(report), _shot_tier(report)]
    author = f"ina {report.provenance.get('analyzer', '')}".strip()
    root = etree.Element(
        "ANNOTATION_DOCUMENT",
        {f"{{{_XSI}}}noNamespaceSchemaLocation": _SCHEMA},
        nsmap={"xsi": _XSI},
        AUTHOR=author,
        DATE=_DATE,
        FORMAT="3.0",
        VERSION="3.0",
    )
    _header(root, report.info.uri, folder, sum(len(tier.annotations) for tier in tiers))
    slots = _time_order(root, tiers)
    numbers = count(1)
    for number, tier in enumerate(tiers):
        _write_tier(root, tier, slots[number], numbers)
    for kind in ("person", "shot"):
        etree.SubElement(
            root,
            "LINGUISTIC_TYPE",
            GRAPHIC_REFERENCES="false",
            LINGUISTIC_TYPE_ID=kind,
            TIME_ALIGNABLE="true",
        )
    return root


def _header(root: Any, uri: str, folder: Path, annotation_count: int) -> None:
    """Write the links to the medium: its absolute address, and one relative to the folder."""
    header = etree.SubElement(root, "HEADER", MEDIA_FILE="", TIME_UNITS="milliseconds")
    etree.SubElement(
        header,
        "MEDIA_DESCRIPTOR",
        MEDIA_URL=_addresses.file_url(uri),
        MIME_TYPE=_addresses.mime_type(uri),
        RELATIVE_MEDIA_URL=_addresses.relative_url(uri, folder),
    )
    last_id = etree.SubElement(header, "PROPERTY", NAME="lastUsedAnnotationId")
    last_id.text = str(annotation_count)


def _person_tiers(report: MediaReport) -> Iterator[_Tier]:
    """Yield a tier per person, most screen time first; each has a name of its own."""
    times_of = defaultdict(list)
    for appearance in _rows.appearances(report):
        times_of[appearance.person.person_id].append((appearance.start_ms, appearance.end_ms))
    used_names = {_SHOTS}
    for person in report.persons:
        name = plain_name = _xml.valid_text(_rows.name(person))
        for number in count(2):
            if name not in used_names:
                break
            name = f"{plain_name} ({number})"
        used_names.add(name)
        text = _xml.valid_text(_rows.summary(person))
        annotations = [(start, end, text) for start, end in times_of[person.person_id]]
        yield _Tier(name, "person", plain_name, annotations)


def _shot_tier(report: MediaReport) -> _Tier:
    shots = [
        (round(start * 1000), round(end * 1000), f"shot {number}")
        for number, (start, end) in enumerate(report.shots.tolist())
    ]
    return _Tier(_SHOTS, "shot", "", [shot for shot in shots if shot[0] < shot[1]])


def _time_order(root: Any, tiers: Sequence[_Tier]) -> list[list[tuple[str, str]]]:
    """Write all times in order; return the ids of start and end of each tier's annotations.

    Annotations share no time: in ELAN, moving one would move the other.
    """
    times = sorted(
        (time, t, a, side)
        for t, tier in enumerate(tiers)
        for a, annotation in enumerate(tier.annotations)
        for side, time in enumerate(annotation[:2])
    )
    order, names = etree.SubElement(root, "TIME_ORDER"), {}
    for number, (time, *slots) in enumerate(times, 1):
        names[tuple(slots)] = slot = f"ts{number}"
        etree.SubElement(order, "TIME_SLOT", TIME_SLOT_ID=slot, TIME_VALUE=str(time))
    return [
        [(names[t, a, 0], names[t, a, 1]) for a in range(len(tier.annotations))]
        for t, tier in enumerate(tiers)
    ]


def _write_tier(
    root: Any, tier: _Tier, slots: Sequence[tuple[str, str]], numbers: Iterator[int]
) -> None:
    """Write a tier; each annotation takes the next number of the document."""
    participant = {"PARTICIPANT": tier.participant} if tier.participant else {}
    element = etree.SubElement(
        root, "TIER", participant, LINGUISTIC_TYPE_REF=tier.kind, TIER_ID=tier.name
    )
    for (_, _, text), (start, end) in zip(tier.annotations, slots, strict=True):
        annotation = etree.SubElement(
            etree.SubElement(element, "ANNOTATION"),
            "ALIGNABLE_ANNOTATION",
            ANNOTATION_ID=f"a{next(numbers)}",
            TIME_SLOT_REF1=start,
            TIME_SLOT_REF2=end,
        )
        etree.SubElement(annotation, "ANNOTATION_VALUE").text = text
