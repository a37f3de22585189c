"""The shots of a medium, a row per shot."""

from pathlib import Path
from typing import ClassVar

from analyzer.export import _rows
from analyzer.files.columns import Column, write_csv
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "ShotsExporter":
    """Shots with their start, end and length in seconds."""
    return ShotsExporter()


class ShotsExporter:
    """Writes `shot,start_s,end_s,duration_s,person_ids`; of stills also `frame`, their paths.

    See `analyzer.export.Table`.
    """

    suffix: ClassVar[str] = ".shots.csv"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; see `analyzer.export.Exporter`."""
        write_csv(path, self.columns(report))

    def columns(self, report: MediaReport) -> list[Column]:
        """Return the columns of the file; see `analyzer.export.Table`."""
        shots = list(_rows.shots(report))
        people = [" ".join(map(str, shot.person_ids)) for shot in shots]
        return [
            Column("shot", "integer", [shot.number for shot in shots]),
            Column("start_s", "number", [shot.start_s for shot in shots], 3),
            Column("end_s", "number", [shot.end_s for shot in shots], 3),
            Column("duration_s", "number", [shot.duration_s for shot in shots], 3),
            Column("person_ids", "text", people),
            *_rows.still_columns(report, shots),
        ]
