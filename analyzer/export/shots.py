"""The shots of a medium, one row a shot."""

from pathlib import Path
from typing import ClassVar

from analyzer.export import _rows
from analyzer.runtime import Runtime
from analyzer.text import write_table
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "ShotsExporter":
    """Shots with their start, end and length in seconds."""
    return ShotsExporter()


class ShotsExporter:
    """Writes ``shot,start_s,end_s,duration_s,person_ids``; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".shots.csv"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the table; see `analyzer.export.Exporter`."""
        rows = (
            (
                shot.number,
                f"{shot.start_s:.3f}",
                f"{shot.end_s:.3f}",
                f"{shot.end_s - shot.start_s:.3f}",
                " ".join(map(str, shot.person_ids)),
            )
            for shot in _rows.shots(report)
        )
        write_table(path, ("shot", "start_s", "end_s", "duration_s", "person_ids"), rows)
