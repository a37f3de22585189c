"""Rewrite every result file of a medium from a changed report."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from analyzer.errors import InputError
from analyzer.files.transaction import FileTransaction
from analyzer.reports import report_file
from analyzer.results.locate import Results, exporter
from analyzer.types import MediaReport


@dataclass(frozen=True)
class RewrittenFile:
    """A file that has changed, or could not be rewritten."""

    name: str
    """Of the exporter."""
    path: Path
    fault: str = ""
    """Why it is as it was; empty where it was made again."""


def exports(
    results: Results,
    report: MediaReport,
    rewrite: FileTransaction,
    *,
    leave: Collection[str] = (),
    dry_run: bool,
) -> Iterator[RewrittenFile]:
    """Write all files that there are but the report, the csv last.

    Args:
        results: The files.
        report: What they are to show.
        rewrite: Takes them.
        leave: Exporters with files that stay as they are.
        dry_run: Do not encode a video only to see that it differs.

    Yields:
        Files that have changed, or could not be rewritten.
    """
    for name, path in sorted(results.files.items(), key=lambda item: item[0] == "csv"):
        if name == "report" or name in leave or _is_medium(path, report):
            continue
        if name == "mp4" and dry_run:
            yield RewrittenFile(name, path)
            continue
        try:
            if rewrite.add(path, partial(exporter(name).write, report)):
                yield RewrittenFile(name, path)
        except InputError as error:
            yield RewrittenFile(name, path, str(error))


def save(
    results: Results,
    report: MediaReport,
    rewrite: FileTransaction,
    *,
    portraits: Mapping[int, bytes],
) -> bool:
    """Write the report itself, which goes last; return whether it has changed."""
    # If a call is cut off, the next one still finds the report as it was, and does the rest.
    path = results.files["report"]
    return rewrite.add(path, partial(report_file.save, report, portraits=portraits))


def _is_medium(path: Path, report: MediaReport) -> bool:
    """Return whether a file is the analysed medium itself: a result may have the same name."""
    medium = Path(report.info.uri)
    return medium.exists() and medium.samefile(path)
