"""The faces of each person, cut out of the medium: a zip with a folder per person.

Folders of persons without a name are named by their `person_id`; `unidentified` holds the faces
of no person. A file is named by its frame and
its face's track, so that its row in the csv can be found; with stills, also by the picture.
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from analyzer.errors import InputError
from analyzer.files import zips
from analyzer.inference.runtime import Runtime
from analyzer.observations.persons import NOBODY
from analyzer.reports import portraits
from analyzer.types import MediaReport, ProgressHook

_LOG = logging.getLogger(__name__)


def create(*, most: int = 100, side: int = 224, runtime: Runtime) -> "CropsExporter":
    """Pictures of each person's faces, a folder a person; most: a person, side: in pixels."""
    return CropsExporter(most, side)


class CropsExporter:
    """Writes the pictures; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".crops.zip"

    def __init__(self, most: int, side_px: int) -> None:
        self._most, self._side_px = most, side_px

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write each person's best faces; a medium without persons gives an empty zip.

        Raises:
            InputError: The medium is gone, or cannot be read again.
            ResourceError: The file cannot be written.
        """
        names = dict(_file_names(report, self._most))
        notes: list[str] = []
        pictures = portraits.cut(
            report, list(names), side_px=self._side_px, note=notes.append, progress=progress
        )
        if names and not pictures:
            reason = "; ".join(notes).removeprefix("portraits: ")
            raise InputError(f"{report.info.uri}: no crops: {reason}; was it moved or replaced?")
        for note in notes:
            _LOG.warning("%s: %s", report.info.uri, note)
        with zips.create(path) as file:
            for row, name in names.items():
                if row in pictures:
                    file.add(name, [pictures[row]], packed=False)


def _file_names(report: MediaReport, most: int) -> Iterator[tuple[int, str]]:
    """Yield the row and the file name of each picture."""
    centroids, table = report.identities.centroids, report.observations
    described = [p for p in report.persons if centroids[p.person_id].any()]  # others were erased
    names = {person.person_id: person.name for person in described}
    if (report.row_persons()[table.embedding_rows] == NOBODY).any():
        names[NOBODY] = "unidentified"
    folders = zips.folders(names)
    rows = portraits.of_persons(report, most=most)
    for person, folder in folders.items():
        for row in sorted(rows.get(person, ())):
            frame, track = int(table.frame[row]), int(table.track_id[row])
            still = Path(report.info.stills[frame]).stem if report.info.kind == "image" else ""
            suffix = zips.safe(f"_{still}") if still else ""
            yield row, f"{folder}/{frame:07}_{track}{suffix}.jpg"
