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
    """Write one result file, whole or not at all.

    Args:
        exporter: Exporter of the format.
        report: Report of a medium.
        path: Path of the file; its folder is made where it is missing.
        progress: Hook of the exporter.

    Raises:
        UsageError: The file would replace the medium.
        ResourceError: The file cannot be written.
    """
    require_apart(report.info.stills or (report.info.uri,), [path])
    with atomic_write(path) as part:
        exporter.write(report, part, progress)


def require_apart(
    media: Iterable[str | Path], results: Iterable[Path], *, what: str = "a medium"
) -> None:
    """Refuse results that would replace a medium, or something else that is read.

    Args:
        media: Paths of what is read.
        results: Paths of the results.
        what: Name of what is read, for the message.

    Raises:
        UsageError: A result has the path of a medium.
    """
    identities = {_file_identity(medium) for medium in media if os.path.exists(medium)}
    for path in results:
        if path.exists() and _file_identity(path) in identities:
            raise UsageError(f"{path}: is {what} itself: write the results to another folder")


def _file_identity(path: str | Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino
