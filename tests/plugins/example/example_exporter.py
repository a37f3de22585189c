"""An exporter of an installed package: the names on screen, as the credits of a film list them."""

from pathlib import Path
from typing import ClassVar

from analyzer.inference.runtime import Runtime
from analyzer.types import MediaReport, ProgressHook


def create(*, heading: str = "Cast", runtime: Runtime) -> "CreditsExporter":
    """Text with a line for each person, most screen time first."""
    return CreditsExporter(heading)


class CreditsExporter:
    """Writes the credits; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".credits.txt"

    def __init__(self, heading: str) -> None:
        self._heading = heading

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write the heading, then name and seconds of each person."""
        persons = sorted(report.persons, key=lambda person: -person.screen_time_s)
        lines = [f"{p.name or f'person {p.person_id}'}\t{p.screen_time_s:.3f}\n" for p in persons]
        path.write_text("".join([f"{self._heading}\n", *lines]), encoding="utf-8")
