"""Rewrite every result file of a medium from a changed report."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from analyzer.files.transaction import FileTransaction
from analyzer.reports import report_file
from analyzer.results.locate import Results, exporter_like
from analyzer.results.write import fault_of, write_part
from analyzer.types import MediaReport


@dataclass(frozen=True)
class RewrittenFile:
    """A file that has changed, or could not be rewritten."""

    name: str
    """Name of the exporter."""
    path: Path
    fault: str = ""
    """Reason why the file is unchanged; empty where it was rewritten."""


def rewrite_exports(
    results: Results,
    report: MediaReport,
    transaction: FileTransaction,
    *,
    leave: Collection[str] = (),
    dry_run: bool,
) -> Iterator[RewrittenFile]:
    """Rewrite all existing files but the report, the csv last.

    Args:
        results: Result files of a medium.
        report: Changed report of the medium.
        transaction: Transaction that the files are added to.
        leave: Names of exporters with files that stay unchanged.
        dry_run: Whether to report a video as changed without encoding it.

    Yields:
        Files that have changed, or could not be rewritten.
    """
    for name, path in sorted(results.files.items(), key=lambda item: item[0] == "csv"):
        if name == "report" or name in leave or _is_medium(path, report):
            continue
        if name == "mp4" and dry_run:
            yield RewrittenFile(name, path)
            continue
        changed: list[bool] = []

        def rewrite(name: str = name, path: Path = path, changed: list[bool] = changed) -> None:
            write_new = partial(write_part, exporter_like(name, path), report)
            changed.append(transaction.add(path, write_new))

        if (fault := fault_of(rewrite)) or changed == [True]:
            yield RewrittenFile(name, path, fault)


def rewrite_report(
    results: Results,
    report: MediaReport,
    transaction: FileTransaction,
    *,
    portraits: Mapping[int, bytes],
) -> bool:
    """Rewrite the report itself, after all other files; return whether it has changed."""
    # If a call is interrupted, the next one still finds the old report, and does the rest.
    path = results.files["report"]
    return transaction.add(path, partial(report_file.save, report, portraits=portraits))


def _is_medium(path: Path, report: MediaReport) -> bool:
    """Return whether a file is the analysed medium itself: a result may have its name."""
    medium = Path(report.info.uri)
    return medium.exists() and medium.samefile(path)
