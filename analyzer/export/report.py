"""The whole report with portraits in one zip, for later work without the medium."""

import logging
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from analyzer.inference.runtime import Runtime
from analyzer.reports import portraits, report_file
from analyzer.types import MediaReport, ProgressHook

_LOG = logging.getLogger(__name__)


def create(*, runtime: Runtime) -> "ReportExporter":
    """Everything, to be read again: by collect, forget and correct."""
    return ReportExporter()


class ReportExporter:
    """Saves the report; see `analyzer.reports.report_file` and `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".report.zip"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Save the report, with the best portraits of each person; see `analyzer.export.Exporter`.

        Where the medium cannot be read again there are none, and a note of the saved report says
        why.
        """
        notes: list[str] = []
        rows = portraits.of_tracks(report)
        pictures = portraits.cut(report, list(rows.values()), note=notes.append, progress=progress)
        for note in notes:
            _LOG.warning("%s: %s", report.info.uri, note)
        by_track = {track: pictures[row] for track, row in rows.items() if row in pictures}
        noted = replace(report, notes=(*report.notes, *notes))
        report_file.save(noted, path, portraits=by_track)
