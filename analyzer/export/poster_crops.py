"""The faces of the medium's poster, cut out of it: a zip with a file per row of `posters`."""

from pathlib import Path
from typing import ClassVar

from analyzer.files import zips
from analyzer.inference.runtime import Runtime
from analyzer.reports import portraits
from analyzer.types import MediaReport, ProgressHook


def create(*, runtime: Runtime) -> "PosterCropsExporter":
    """Pictures of the faces of the poster, named by the column face of posters."""
    return PosterCropsExporter()


class PosterCropsExporter:
    """Writes the pictures, without names of persons; see `analyzer.export.Exporter`."""

    suffix: ClassVar[str] = ".poster_crops.zip"

    def write(self, report: MediaReport, path: Path, progress: ProgressHook | None = None) -> None:
        """Write `0.jpg`, `1.jpg`, ...; without a poster, or a face on it, an empty zip."""
        poster = report.poster
        with zips.create(path) as file:
            if poster is None:
                return
            for face, jpeg in enumerate(portraits.of_picture(poster.image, poster.boxes)):
                file.add(f"{face}.jpg", [jpeg], packed=False)
