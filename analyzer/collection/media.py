"""The media of a joblist, each once, also if it is listed twice or under two names."""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from analyzer.errors import AnalyzerError, InputError, UsageError
from analyzer.reports import report_file
from analyzer.reports.report_file import Summary
from analyzer.types import Progress, ProgressHook
from analyzer.weights import locate
from joblist.model import JobSpec, is_address


@dataclass(frozen=True, kw_only=True)
class ListedMedium:
    """One source, and all that its rows say."""

    source_path: str
    """Without links; the first in the alphabet where there are copies."""
    copies: tuple[str, ...]
    """Other files with the same bytes."""
    rows: tuple[JobSpec, ...]
    """In the order of their lines."""

    @property
    def item_id(self) -> str:
        """What the rows call it, or the name of its file."""
        names = dict.fromkeys(row.item_id for row in self.rows if row.item_id)
        return "; ".join(names) or os.path.basename(self.source_path)

    def named(self, export: str) -> list[str]:
        """Return the files that its rows name for an export, each once."""
        return list(dict.fromkeys(r.dests[export] for r in self.rows if export in r.dests))

    @property
    def page(self) -> str | None:
        """Its page for review."""
        return next(iter(self.named("html")), None)

    @property
    def metrics(self) -> Mapping[str, float]:
        """The mean of its rows, for each metric that one of them has."""
        names = {name for row in self.rows for name in row.metrics}
        return {
            name: fmean(row.metrics[name] for row in self.rows if name in row.metrics)
            for name in names
        }


@dataclass(frozen=True)
class AnalysedMedium:
    """A medium that was analysed."""

    medium: ListedMedium
    report: Path
    summary: Summary


@dataclass(frozen=True)
class Skipped:
    """A medium that cannot be counted."""

    medium: ListedMedium
    reason: str


def of_reports(paths: Sequence[str]) -> list[JobSpec]:
    """Return rows for reports that are given themselves."""
    return [
        JobSpec(
            source_path=os.path.abspath(path),
            dests={"report": os.path.abspath(path)},
            item_id=os.path.basename(path).removesuffix(".zip").removesuffix(".report"),
            line=number,
        )
        for number, path in enumerate(paths, start=1)
    ]


def media_of(rows: Iterable[JobSpec]) -> list[ListedMedium]:
    """Put together the rows of equal sources; in the order of their first lines.

    Equal are paths of one file, and files with equal bytes. Segments of one are as many media.
    """
    by_range: dict[tuple[float | None, float | None], dict[str, list[JobSpec]]] = {}
    for row in rows:
        by_path = by_range.setdefault((row.start_s, row.stop_s), defaultdict(list))
        by_path[_resolved(row.source_path)].append(row)
    listed = [
        ListedMedium(
            source_path=same[0],
            copies=tuple(same[1:]),
            rows=tuple(sorted((r for p in same for r in by_path[p]), key=lambda r: r.line)),
        )
        for by_path in by_range.values()
        for same in _alike(by_path)
    ]
    return sorted(listed, key=lambda medium: medium.rows[0].line)


def _resolved(source: str) -> str:
    """Return a path without links; an address as it is."""
    return source if is_address(source) else os.path.realpath(source)


def _alike(paths: Iterable[str]) -> Iterator[list[str]]:
    """Group the paths of files with equal bytes; only files of equal size are read."""
    sizes: dict[int, list[str]] = defaultdict(list)
    for path in sorted(paths):
        sizes[_size(path)].append(path)
    for size, same_size in sizes.items():
        if size == 0 or len(same_size) == 1:
            yield from ([path] for path in same_size)
            continue
        digests: dict[str, list[str]] = defaultdict(list)
        for path in same_size:
            digests[_digest(path)].append(path)
        yield from digests.values()


def _size(path: str) -> int:
    """Return the size of a file in bytes; 0 where it is unknown."""
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _digest(path: str) -> str:
    """Return a hash of a file, or its path where it cannot be read."""
    try:
        return locate.sha256(Path(path))
    except AnalyzerError:
        return path


def read(
    media: Sequence[ListedMedium], progress: ProgressHook | None = None
) -> tuple[list[AnalysedMedium], list[Skipped]]:
    """Read what the reports tell of their persons.

    Raises:
        UsageError: The reports are of different describers.
    """
    analysed: list[AnalysedMedium] = []
    skipped: list[Skipped] = []
    for number, medium in enumerate(media):
        if progress is not None:
            progress(Progress(stage="read", done=number, total=len(media)))
        result = _read(medium)
        if isinstance(result, AnalysedMedium):
            analysed.append(result)
        else:
            skipped.append(result)
    _check_describers(analysed)
    return analysed, skipped


def _read(medium: ListedMedium) -> AnalysedMedium | Skipped:
    """Return the first report that can be read of those that the rows name."""
    reason = "dest_report is empty: name a file there, and serve the joblist again"
    for path in sorted(medium.named("report")):
        try:
            return AnalysedMedium(medium, Path(path), _known(report_file.summary(Path(path)), path))
        except InputError as error:
            reason = str(error) if os.path.exists(path) else f"not analysed yet: no {path}"
    return Skipped(medium, reason)


def _known(summary: Summary, path: str) -> Summary:
    """Leave out forgotten persons: without a mean embedding they cannot be compared.

    Raises:
        InputError: The report does not tell what made the embeddings.
    """
    describer = summary.provenance.get("options", {}).get("describer")
    if summary.persons and not isinstance(describer, str):
        raise InputError(f"{path}: names no describer; analyse the medium again")
    centroids = summary.identities.centroids
    described = tuple(person for person in summary.persons if centroids[person.person_id].any())
    return replace(summary, persons=described)


def _check_describers(analysed: Sequence[AnalysedMedium]) -> None:
    """Refuse reports of several describers: their vectors cannot be compared."""
    first: dict[str, Path] = {}
    for medium in analysed:
        if medium.summary.persons:
            first.setdefault(medium.summary.provenance["options"]["describer"], medium.report)
    if len(first) > 1:
        describers = ", ".join(f"{path} with {name}" for name, path in first.items())
        raise UsageError(f"reports of different describers: {describers}; analyse all with one")
