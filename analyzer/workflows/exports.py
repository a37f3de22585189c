"""Write the result files of one analysed item."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from analyzer import registry
from analyzer.gallery.poster import identify
from analyzer.options.defaults import EXPORTS_OF_POSTERS
from analyzer.pipeline.components import Components
from analyzer.results import ownership_record, write
from analyzer.types import MediaReport, ProgressHook
from analyzer.workflows.analyze import exports_of
from analyzer.workflows.items import Item


def write_exports(
    item: Item, report: MediaReport, *, components: Components, progress: ProgressHook
) -> MediaReport:
    """Write the files of one item: each poster's own, where it has several, then the others.

    Args:
        item: The item.
        report: Its report, with the first poster.
        components: Components that made the report.
        progress: Hook that is called at each step.

    Returns:
        The report with the notes of all posters.
    """
    ownership_record.record(item.target, item.address or item.medium)
    exports = exports_of(report, item.exports)
    if len(item.posters) > 1:
        of_posters = [name for name in exports if name in EXPORTS_OF_POSTERS]
        report = _write_posters(item, report, of_posters, components, progress)
        exports = [name for name in exports if name not in EXPORTS_OF_POSTERS]
    _write(item, report, exports, item.target, components, progress)
    return report


def _write_posters(
    item: Item,
    report: MediaReport,
    exports: Sequence[str],
    components: Components,
    progress: ProgressHook,
) -> MediaReport:
    """Write the files of each poster; return the report with all of their notes."""
    notes = report.notes
    for number, poster in enumerate(item.posters):
        of_poster = report
        if number:
            bare = replace(report, poster=None, notes=())
            of_poster = identify(bare, components=components, poster=poster)
            notes += of_poster.notes
        _write(item, of_poster, exports, item.target_of(poster), components, progress)
    return replace(report, notes=notes)


def _write(
    item: Item,
    report: MediaReport,
    exports: Sequence[str],
    target: Path,
    components: Components,
    progress: ProgressHook,
) -> None:
    """Write some files of one medium."""
    for name in exports:
        exporter = registry.load("export", name, runtime=components.runtime)
        file = item.dests.get(name, target.with_name(target.name + exporter.suffix))
        write.write_export(exporter, report, file, progress)
