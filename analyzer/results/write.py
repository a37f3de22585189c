"""Write result files whole, never in the place of a medium."""

import os
from collections.abc import Iterable
from pathlib import Path

from analyzer.errors import UsageError
from analyzer.export import Exporter
from analyzer.files.atomic import atomic_write
from analyzer.types import MediaReport, ProgressHook


def write_export(
    exporter: Exporter, report: MediaReport, path: Path, progress: ProgressHook | None = None
) -> None:
    """Write one file whole; see `whole`.

    Raises:
        UsageError: It would take the place of the medium.
    """
    require_apart(report.info.stills or (report.info.uri,), [path])
    with atomic_write(path) as part:
        exporter.write(report, part, progress)


def require_apart(media: Iterable[str], results: Iterable[Path]) -> None:
    """Refuse results that would take the place of a medium.

    Raises:
        UsageError: With what to do.
    """
    taken = {_identity(medium) for medium in media if os.path.exists(medium)}
    for path in results:
        if path.exists() and _identity(path) in taken:
            raise UsageError(f"{path}: is a medium itself: write the results to another folder")


def _identity(path: str | Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino
