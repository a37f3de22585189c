"""Excel workbook: sheets of persons and appearances with their faces, of shots and of all faces.

Text is written as text: no name becomes a formula, a number or a link.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from analyzer.errors import UsageError
from analyzer.export import _faces, _persons, _rows, _workbook
from analyzer.export._document import counts, provenance
from analyzer.files.columns import Column
from analyzer.inference.runtime import Runtime
from analyzer.reports import portraits
from analyzer.types import MediaReport, ProgressHook


def create(*, pictures: int = 20, runtime: Runtime) -> "XlsxExporter":
    """Excel workbook; pictures: appearances of each person that are shown with a picture."""
    if pictures < 0:
        raise UsageError(f"xlsx: pictures={pictures} must be 0 or more")
    return XlsxExporter(pictures)


class XlsxExporter:
    """Writes a workbook; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".xlsx"

    def __init__(self, pictures: int) -> None:
        self._pictures = pictures

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the workbook; a medium without faces gives sheets with headers only.

        Where the medium cannot be read again there are no pictures, and the last sheet says why.

        Raises:
            ResourceError: The file cannot be written.
        """
        notes: list[str] = []
        of_persons, of_tracks = self._portraits(report, notes.append, progress)
        with _workbook.create(path) as sheets:
            sheets.add("persons", list(_persons.columns(report)), of_persons)
            sheets.add("appearances", _appearance_columns(report), of_tracks)
            sheets.add("shots", _shot_columns(report))
            sheets.add("faces", list(_faces.columns(report)))
            sheets.add("about", _about_columns(report, notes))

    def _portraits(
        self,
        report: MediaReport,
        note: Callable[[str], None],
        progress: ProgressHook | None,
    ) -> tuple[list[bytes | None], list[bytes | None]]:
        """Return the JPEG of each person and of each track, if it has one."""
        best = portraits.best(report)
        tracks = portraits.of_tracks(report, most=self._pictures)
        rows = sorted({*best.values(), *tracks.values()}) if self._pictures else []
        side = _workbook.PICTURE_PX
        pictures = portraits.cut(report, rows, side_px=side, note=note, progress=progress)
        return (
            [pictures.get(best.get(person.person_id, -1)) for person in _persons.listed(report)],
            [pictures.get(tracks.get(i, -1)) for i in report.identities.track_ids.tolist()],
        )


def _appearance_columns(report: MediaReport) -> list[Column]:
    """Return the columns of the tracks."""
    tracks = list(_rows.tracks(report))
    names = {person.person_id: person.name for person in report.persons}
    timed = report.info.is_timed
    lengths = [sum(end - start for start, end in track.intervals_s) for track in tracks]
    starts = [track.intervals_s[0][0] if timed else None for track in tracks]
    ends = [track.intervals_s[-1][1] if timed else None for track in tracks]
    ages = [track.shown.get("age") for track in tracks]
    persons = [None if track.person_id < 0 else track.person_id for track in tracks]
    return [
        Column("face_id", "integer", [track.track_id for track in tracks]),
        Column("person_id", "integer", persons),
        Column("name", "text", [names.get(track.person_id) for track in tracks]),
        Column("start_s", "number", starts, 3),
        Column("end_s", "number", ends, 3),
        Column("screen_time_s", "number", lengths if timed else [None] * len(tracks), 3),
        Column("face_count", "integer", [len(track.rows) for track in tracks]),
        Column("sex_label", "text", [track.shown.get("sex") or None for track in tracks]),
        Column("age_label", "number", [float(age) if age else None for age in ages], 1),
    ]


def _shot_columns(report: MediaReport) -> list[Column]:
    """Return the columns of the shots."""
    shots, names = list(_rows.shots(report)), _rows.names(report)
    person_lists = [", ".join(names[person] for person in shot.person_ids) for shot in shots]
    return [
        Column("shot", "integer", [shot.number for shot in shots]),
        Column("start_s", "number", [shot.start_s for shot in shots], 3),
        Column("end_s", "number", [shot.end_s for shot in shots], 3),
        Column("duration_s", "number", [shot.duration_s for shot in shots], 3),
        Column("person_ids", "text", [" ".join(map(str, shot.person_ids)) for shot in shots]),
        Column("names", "text", person_lists),
        *_rows.still_columns(report, shots),
    ]


def _about_columns(report: MediaReport, notes: Sequence[str]) -> list[Column]:
    """Return two columns of facts: notes, the source of the results, and counts."""
    facts = [*_flattened("", provenance(report)), *_flattened("counts", counts(report))]
    facts[:0] = [("pictures", note) for note in notes]
    if len(report.observations) > _workbook.MAX_ROWS:
        notice = (
            f"cut: the first {_workbook.MAX_ROWS} of {len(report.observations)}; the csv has all"
        )
        facts.insert(0, ("faces", notice))
    keys, values = zip(*facts, strict=True)
    return [Column("what", "text", keys), Column("value", "text", values)]


def _flattened(key: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield `medium width_px`, `1280`: the path of keys of a value, and the value as text."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _flattened(f"{key} {name}".strip(), inner)
    elif value not in (None, "", []):
        yield key, ", ".join(map(str, value)) if isinstance(value, list) else str(value)
