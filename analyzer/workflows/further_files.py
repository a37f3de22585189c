"""Further files of a report, or of a table of faces: no analysis is made again."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from analyzer.errors import InputError, UsageError
from analyzer.pipeline import table_report
from analyzer.reports import report_file
from analyzer.results import locate, ownership_record
from analyzer.results.write import fault_of, in_order, require_apart, write_export
from analyzer.types import MediaReport, ProgressHook
from joblist.names import spelled


def read(source: Path, medium: str | None = None) -> MediaReport:
    """Return the report in a file, or one that is made of a table and its video.

    Args:
        source: Path of a report, or of a csv.
        medium: Path of the video of a csv.

    Raises:
        UsageError: Neither, or a csv without its video.
        InputError: The report or the video cannot be read.
    """
    if source.suffix.lower() != ".csv":
        return report_file.load(source)
    if medium is None:
        raise UsageError(f"{source}: which video is it of? Give it with --medium")
    return table_report.read(source, spelled(medium))


def write(
    source: Path,
    *,
    medium: str | None,
    exports: Sequence[str],
    output: Path,
    overwrite: bool,
    progress: ProgressHook | None = None,
) -> list[Path]:
    """Write further files; return their paths.

    Args:
        source: Path of a report, or of a csv.
        medium: Path of the video of a csv.
        exports: Names of exports.
        output: Folder for the files.
        overwrite: Whether files of another medium of that name may be replaced.
        progress: Hook of the exporters.

    Raises:
        UsageError: Two of the exports are one file.
        AnalyzerError: Nothing was written, or not all; one file that fails costs no other.
    """
    exports = [name.strip() for name in exports]
    locate.require_different(exports)
    exporters = [locate.load_exporter(name) for name in exports]
    report = read(source, medium)
    stem = source.name.removesuffix(locate.load_exporter("report").suffix).removesuffix(".csv")
    target = output / stem
    files = [target.with_name(target.name + exporter.suffix) for exporter in exporters]
    media = list(report.info.stills) or report.info.uri
    require_apart([source, *([media] if isinstance(media, str) else media)], files)
    if not overwrite:
        ownership_record.require_own(target, files, media)
    if all(map(os.path.exists, [media] if isinstance(media, str) else media)):
        ownership_record.record(target, media)
    faults = []
    by_name = dict(zip(exports, zip(exporters, files, strict=True), strict=True))
    for exporter, file in (by_name[name] for name in in_order(by_name)):
        fault = fault_of(partial(write_export, exporter, report, file, progress))
        faults += [f"{file}: not written: {fault}"] if fault else []
    if faults:
        raise InputError("; ".join(faults))
    return files
