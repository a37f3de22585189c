"""The shots of a medium, one row a shot."""

from pathlib import Path
from typing import ClassVar

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
                number,
                f"{start:.3f}",
                f"{end:.3f}",
                f"{end - start:.3f}",
                _present(report, start, end),
            )
            for number, (start, end) in enumerate(report.shots.tolist())
        )
        write_table(path, ("shot", "start_s", "end_s", "duration_s", "person_ids"), rows)


def _present(report: MediaReport, start: float, end: float) -> str:
    """The persons who are seen in a stretch of time, numbers with blanks between."""
    times = report.observations.time_s
    seen = set(report.row_persons()[(times >= start) & (times < end)].tolist())
    return " ".join(str(person) for person in sorted(seen - {-1}))
