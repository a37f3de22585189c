"""Report as JSON: provenance, persons, shots, tracks with their times, counts."""

from pathlib import Path
from typing import ClassVar

from analyzer.export._document import document
from analyzer.files.text import write_json
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "JsonExporter":
    """Report with provenance, persons, shots, tracks and counts."""
    return JsonExporter()


class JsonExporter:
    """Writes all of a report but its rows; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".report.json"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the document; a medium without faces gives empty lists."""
        write_json(path, document(report))
