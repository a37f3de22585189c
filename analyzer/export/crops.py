"""The faces of each person, cut out of the medium: a zip with a folder per person.

Folders of persons without a name are named by their `person_id`; `unidentified` holds the faces
of no person. A file is named by its frame and its face's track, so that its row in the csv can be
found; with stills, also by the picture. The zip's comment holds the options, with which the file is
made again after a correction.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from analyzer import registry
from analyzer.errors import InputError, UsageError
from analyzer.files import zips
from analyzer.inference.runtime import Runtime
from analyzer.observations.persons import NOBODY
from analyzer.reports import portraits
from analyzer.types import MediaReport, ProgressHook
from ina_input.archives import open_zip

_LOG = logging.getLogger(__name__)
_MAX_SIDE_PX = 4096


def create(
    *, most: int = 100, side: int = 224, all_: bool = False, runtime: Runtime
) -> "CropsExporter":
    """Pictures of faces, a folder a person; most: a person, all: every face, nobody's too."""
    if most < 0 or not 1 <= side <= _MAX_SIDE_PX:
        raise UsageError(
            f"crops: most={most}, side={side}: give 0 or more, and 1 to {_MAX_SIDE_PX} pixels"
        )
    return CropsExporter(most, side, every=all_)


class CropsExporter:
    """Writes the pictures; see `analyzer.export.KeepsOptions`.

    Args:
        most: Maximum number of faces per person.
        side_px: Side of the pictures, pixels.
        every: Whether to write all faces, nobody's too.
    """

    suffix: ClassVar[str] = ".crops.zip"

    def __init__(self, most: int, side_px: int, *, every: bool) -> None:
        self._most, self._side_px, self._every = most, side_px, every

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write faces, one after the other; a medium without any gives an empty zip.

        Raises:
            InputError: The medium is gone, or cannot be read again.
            ResourceError: The file cannot be written.
        """
        folders = _folders(report)
        rows, owners = self._rows(report, folders), report.row_persons()
        notes: list[str] = []
        faces = portraits.cut_each(
            report, rows, side_px=self._side_px, note=notes.append, progress=progress
        )
        count = 0
        with zips.create(path, comment=self._spec()) as file:
            try:
                for row, jpeg in faces:
                    name = f"{folders[int(owners[row])]}/{_file_name(report, row)}"
                    file.add(name, [jpeg], packed=False)
                    count += 1
            except InputError as error:
                notes.append(f"portraits: {error}")
                count = 0
            if rows and not count:
                reason = "; ".join(notes).replace("portraits: ", "")
                raise InputError(
                    f"{report.info.uri}: no crops: {reason}; was it moved or replaced?"
                )
        for note in notes:
            _LOG.warning("%s: %s", report.info.uri, note)

    def spec_of(self, path: Path) -> str:
        """Return the spec of the exporter that wrote a zip; without options if it tells none."""
        try:
            with open_zip(path) as contents:
                spec = contents.comment.decode("ascii")
            # Only this exporter: a spec may also name code from outside.
            if registry.check("export", spec).component == "crops":
                registry.load("export", spec, runtime=Runtime())
                return spec
        except (OSError, ValueError, UsageError):
            pass
        return "crops"

    def _rows(self, report: MediaReport, folders: Mapping[int, str]) -> Sequence[int]:
        """Return the rows of the faces: all of those that have a folder, or each person's best."""
        if self._every:
            return np.nonzero(np.isin(report.row_persons(), list(folders)))[0].tolist()
        best = portraits.of_persons(report, most=self._most)
        return [row for person, rows in best.items() if person in folders for row in rows]

    def _spec(self) -> str:
        """Return the spec of this exporter."""
        return f"crops:most={self._most},side={self._side_px},all={str(self._every).lower()}"


def _folders(report: MediaReport) -> dict[int, str]:
    """Return the folder of each person, and of faces of none; none of those who were erased."""
    centroids = report.identities.centroids
    described = {p.person_id: p.name for p in report.persons if centroids[p.person_id].any()}
    return zips.folders({**described, NOBODY: "unidentified"})


def _file_name(report: MediaReport, row: int) -> str:
    """Return the file name of the picture of a row."""
    table = report.observations
    frame, track = int(table.frame[row]), int(table.track_id[row])
    still = "" if report.info.is_timed else Path(report.info.stills[frame]).stem
    suffix = zips.safe(f"_{still}") if still else ""
    return f"{frame:07}_{track}{suffix}.jpg"
