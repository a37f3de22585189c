"""Shares of a collection: its media are the clusters of the intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.collection.media import AnalysedMedium
from analyzer.errors import InputError
from analyzer.reports import report_file
from analyzer.shares import amounts, tables
from analyzer.shares.confusion import Confusion
from analyzer.shares.measure import GroupShare, of_amounts
from analyzer.types import Progress, ProgressHook


@dataclass(frozen=True)
class CollectionShares:
    """Shares over all media, each medium counting by its amounts."""

    rows: tuple[GroupShare, ...]
    left_out: tuple[tuple[str, str], ...]
    """Media with rows that cannot be read, and the reason."""
    is_uneven: bool
    """Whether networks of several tables labelled the media, so that nothing is corrected."""


def of_media(
    media: Sequence[AnalysedMedium], progress: ProgressHook | None = None
) -> CollectionShares:
    """Return the shares of some media; their reports are read one after the other.

    Args:
        media: The media.
        progress: Hook that is called with each report.
    """
    sums: list[list[amounts.Amounts]] = []
    used: list[Mapping[str, Confusion]] = []
    left_out: list[tuple[str, str]] = []
    for number, medium in enumerate(media):
        if progress is not None:
            progress(Progress(stage="shares", done=number, total=len(media)))
        try:
            report = report_file.load(medium.report)
        except InputError as error:
            left_out.append((medium.medium.item_id, str(error)))
            continue
        sums.append([each.total() for each in amounts.of_report(report)])
        if sums[-1]:
            models, age = report.provenance.get("models", {}), amounts.sex_given_from(report)
            used.append(tables.tables_of(models, sex_given_from=age))
    alike = all(_is_alike(used[0], other) for other in used)
    rows = of_amounts(amounts.of_collection(sums), used[0] if used and alike else {})
    return CollectionShares(tuple(rows), tuple(left_out), not alike)


def _is_alike(one: Mapping[str, Confusion], other: Mapping[str, Confusion]) -> bool:
    """Return whether two networks confuse the same."""
    return one.keys() == other.keys() and all(
        np.array_equal(table.counts, other[head].counts) for head, table in one.items()
    )
