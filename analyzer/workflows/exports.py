"""Write the result files of one analysed item."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from analyzer import registry
from analyzer.gallery.poster import identify
from analyzer.options.defaults import EXPORTS_OF_POSTERS
from analyzer.pipeline.components import Components
from analyzer.results import ownership_record, write
from analyzer.types import MediaReport, ProgressHook
from analyzer.workflows.analyze import exports_of
from analyzer.workflows.items import Item


@dataclass(frozen=True)
class Written:
    """What came of the files of one item."""

    report: MediaReport
    """Report with the notes of all posters."""
    faults: tuple[str, ...]
    """Sentence for each file that could not be written."""


def write_exports(
    item: Item, report: MediaReport, *, components: Components, progress: ProgressHook
) -> Written:
    """Write the files of one item: each poster's own, where it has several, then the others.

    Videos come last. A file that cannot be written costs no other.

    Args:
        item: The item.
        report: Its report, with the first poster.
        components: Components that made the report.
        progress: Hook that is called at each step.

    Raises:
        AnalyzerError: No further file can be written, either.
    """
    ownership_record.record(item.target, item.address or item.medium)
    exports = write.in_order(exports_of(report, item.exports))
    faults: list[str] = []
    if len(item.posters) > 1:
        of_posters = [name for name in exports if name in EXPORTS_OF_POSTERS]
        report = _write_posters(item, report, of_posters, components, progress, faults)
        exports = [name for name in exports if name not in EXPORTS_OF_POSTERS]
    faults += _write(item, report, exports, item.target, components, progress)
    return Written(report, tuple(faults))


def _write_posters(
    item: Item,
    report: MediaReport,
    exports: Sequence[str],
    components: Components,
    progress: ProgressHook,
    faults: list[str],
) -> MediaReport:
    """Write the files of each poster, and add faults; return the report with all their notes."""
    notes = report.notes
    for number, poster in enumerate(item.posters):
        of_poster = report
        if number:
            bare = replace(report, poster=None, notes=())
            of_poster = identify(bare, components=components, poster=poster)
            notes += of_poster.notes
        target = item.target_of(poster)
        faults += _write(item, of_poster, exports, target, components, progress)
    return replace(report, notes=notes)


def _write(
    item: Item,
    report: MediaReport,
    exports: Sequence[str],
    target: Path,
    components: Components,
    progress: ProgressHook,
) -> list[str]:
    """Write some files of one medium; return a sentence for each that could not be written."""
    faults = []
    for name in exports:
        exporter = registry.load("export", name, runtime=components.runtime)
        file = item.dests.get(name, target.with_name(target.name + exporter.suffix))
        fault = write.fault_of(partial(write.write_export, exporter, report, file, progress))
        if fault:
            older = "; the file there is an older one" if file.exists() else ""
            faults.append(f"{file}: not written: {fault}{older}")
    return faults
