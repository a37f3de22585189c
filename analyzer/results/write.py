"""Write result files whole, never in the place of a medium; one that fails costs no other."""

import os
import tempfile
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path

from analyzer.errors import AnalyzerError, UsageError
from analyzer.export import Exporter
from analyzer.files.atomic import atomic_write
from analyzer.files.text import is_utf8, utf8
from analyzer.types import MediaReport, ProgressHook
from joblist.beneath import StagedPath

REPORT_SUFFIX = ".report.zip"
"""Of the export that keeps what was found, apart from what is said of it later."""
LONG_EXPORTS = ("mp4",)
"""Exports that take long: what they need of the medium may be gone by then."""


def in_order(exports: Iterable[str]) -> list[str]:
    """Return exports in the order of writing: tables and subtitles never wait for a video."""
    return sorted(exports, key=lambda name: name in LONG_EXPORTS)


def fault_of(write: Callable[[], object]) -> str:
    """Write one file; return why that failed, in words, or nothing.

    An exporter's failure costs its file alone. What the machine or the user is at fault with is
    raised: then other files would fail as well.

    Args:
        write: Function that writes the file.

    Raises:
        UsageError, MissingDependency: The file cannot be had with these arguments.
        OSError, MemoryError, ResourceError: Disk or memory gave out.
    """
    try:
        write()
    except AnalyzerError as error:
        if error.kind in ("usage", "resource"):
            raise
        return str(error)
    except (OSError, MemoryError):
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{Path(frame.filename).name}:{frame.lineno}"
        return f"{type(error).__name__}: {error} ({where}); please report it"
    return ""


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
        write_part(exporter, report, part, progress)


def write_part(
    exporter: Exporter, report: MediaReport, path: Path, progress: ProgressHook | None = None
) -> None:
    """Write a file that is not in its place yet; exporters are given UTF-8 paths only.

    Args:
        exporter: Exporter of the format.
        report: Report of a medium.
        path: Path of the file; its folder exists.
        progress: Hook of the exporter.
    """
    if exporter.suffix != REPORT_SUFFIX:
        report = report.as_archived()
    if is_utf8(str(path)):
        exporter.write(report, path, progress)
        return
    with tempfile.TemporaryDirectory(prefix="ina-part-") as folder:
        link = Path(folder, utf8(path.name).replace("\\", "_"))
        link.symlink_to(path.absolute())
        exporter.write(report, StagedPath.of(link, path), progress)


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
