"""Collect the persons of many media, and write the folder of the collection."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from analyzer import registry
from analyzer.collection import identities, media, results
from analyzer.collection.identities import Collection
from analyzer.errors import UsageError
from analyzer.inference.runtime import Runtime
from analyzer.reports.report_file import Summary
from analyzer.results import joblist
from analyzer.types import ProgressHook
from joblist.model import JobSpec


def rows_of(sources: Sequence[str]) -> list[JobSpec]:
    """Return the rows of a joblist, or a row for each report.

    Args:
        sources: One joblist, or paths of reports.

    Raises:
        UsageError: They are neither, or no row has a report.
    """
    if all(source.lower().endswith(".zip") for source in sources):
        return media.of_reports(sources)
    if len(sources) > 1:
        raise UsageError("give one joblist, or reports with names that end in .zip")
    rows = joblist.read(sources[0], addresses=True)
    if rows and not any("report" in row.dests for row in rows):
        raise UsageError(
            f"{sources[0]}: no row has a dest_report: add the column, with a path such as "
            "results/film.report.zip in each row, and serve the joblist again"
        )
    return rows


def collect(
    rows: Sequence[JobSpec],
    folder: Path,
    *,
    clusterer: str,
    threshold: float | None,
    archived: Callable[[Summary], Summary] = lambda summary: summary,
    progress: ProgressHook | None = None,
) -> Collection:
    """Collect the persons of the rows' reports; write the folder if one could be read.

    Args:
        rows: Rows with reports.
        folder: Folder for results.
        clusterer: Name of the clusterer.
        threshold: Distance below which two persons may be one; None as the media were analysed.
        archived: Gives the persons of a report the numbers and names that a store has by now.
        progress: Hook that is called at each step.
    """
    writers = results.Writers.load()
    read, skipped = media.read(media.media_of(rows), progress)
    analysed = [replace(medium, summary=archived(medium.summary)) for medium in read]
    collection = identities.collect(
        analysed,
        skipped,
        list(dict.fromkeys(name for row in rows for name in row.metrics)),
        clusterer=registry.load("cluster", clusterer, runtime=Runtime()),
        threshold=threshold,
        progress=progress,
    )
    if analysed:
        results.write(collection, folder, writers, progress)
    return collection
