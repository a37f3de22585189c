"""Candidates for the name of each person, as JSON, with probability and distance."""

from pathlib import Path
from typing import ClassVar

from analyzer.export._document import name_to_json
from analyzer.files.text import write_json
from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "NamesExporter":
    """Who each person may be, with probabilities and distances."""
    return NamesExporter()


class NamesExporter:
    """Writes the candidates of every person; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".names.json"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the persons, most screen time first; without a gallery no person has candidates."""
        persons = [name_to_json(person) for person in report.persons]
        write_json(path, {"medium": report.info.uri, "persons": persons})
