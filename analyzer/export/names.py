"""Who each person may be, as JSON: the gallery's candidates with probability and distance."""

import json
from pathlib import Path
from typing import Any, ClassVar

from analyzer.runtime import Runtime
from analyzer.text import open_text
from analyzer.types import MediaReport, Person, ProgressHook


def create(*, runtime: Runtime) -> "NamesExporter":
    """Who each person may be, with probabilities and distances."""
    return NamesExporter()


class NamesExporter:
    """Writes the candidates of every person; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".names.json"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the persons, most screen time first; without a gallery nobody has candidates."""
        document = {"medium": report.info.uri, "persons": [_entry(p) for p in report.persons]}
        with open_text(path) as stream:
            json.dump(document, stream, ensure_ascii=False, indent=1)
            stream.write("\n")


def _entry(person: Person) -> dict[str, Any]:
    return {
        "person_id": person.person_id,
        "name": person.name,
        "name_distance": _rounded(person.name_distance),
        "candidates": [
            {
                "name": candidate.name,
                "probability": _rounded(candidate.probability),
                "distance": _rounded(candidate.distance),
            }
            for candidate in person.candidates
        ],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
