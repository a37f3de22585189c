"""Estimate shares of an archive from the results of its sample."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.files.atomic import atomic_write
from analyzer.files.text import write_json
from analyzer.sampling import corrected, ratio, sequence
from analyzer.sampling import segments as sampled
from analyzer.sampling.ratio import Ratio
from analyzer.sampling.results import UNLABELLED, AmountReader, own_tables
from analyzer.sampling.segments import Segments
from analyzer.types import F64, I64

MOST_FACES = 5.0
"""Faces at once, in the mean of a segment, up to which the confidence sequence counts."""


@dataclass(frozen=True)
class EstimatedShare:
    """An estimated share."""

    group: str
    where: str
    """Value of the column by which was estimated; empty for the archive."""
    ratio: Ratio
    low: float
    high: float
    segments: int
    """Segments with labels in them."""
    sequence: tuple[float, float] | None = None
    """Interval of the confidence sequence; `None` of parts of the archive, and without draws."""
    corrected: Ratio | None = None
    """Share without what the network confuses; `None` where that is not known."""

    @property
    def corrected_interval(self) -> tuple[float, float] | None:
        """Interval of the corrected share, with the error of the table that corrects it."""
        return None if self.corrected is None else self.corrected.logit_interval()


@dataclass(frozen=True)
class Estimates:
    """Shares, and what they rest on."""

    shares: list[EstimatedShare]
    segments: Segments
    looked_at: int
    """Draws from the first on that all have results: the confidence sequence rests on them."""
    crowded: int
    """Draws among them with more faces than it counts."""

    def can_stop(self, reach: float) -> bool:
        """Return whether the confidence sequence is as narrow as that for the archive's shares.

        Args:
            reach: Half of the width, as a share.
        """
        intervals = [share.sequence for share in self.shares if not share.where]
        narrow = [i is not None and i[1] - i[0] <= 2 * reach for i in intervals]
        return bool(narrow) and all(narrow)

    def deviation(self) -> float:
        """Return the standard deviation of a draw's share, of the group of which it is largest."""
        ratios = [share.ratio for share in self.shares if not share.where]
        return max((r.error * math.sqrt(r.clusters) for r in ratios), default=0.0)


def of_joblist(
    path: Path,
    *,
    head: str,
    over: str,
    ages: Sequence[float],
    by: str | None,
    reach: float | None,
    most_faces: float,
    skip_missing: bool,
    merge_strata: bool,
    confusion: Path | None = None,
) -> Estimates:
    """Estimate shares from a joblist and its results; see `AmountReader`, `read` and `shares`.

    Raises:
        InputError: `confusion`, the tables of an audit, cannot be read or is of other networks.
        UsageError: What is wrong with the joblist, or with results; or there are none yet.
    """
    own = own_tables(confusion, head, over, ages) if confusion else None
    reader = AmountReader(head, over, ages, own)
    read = sampled.read(path, reader, by=by, merge_strata=merge_strata)
    return shares(read, by=by, reach=reach, most_faces=most_faces, skip_missing=skip_missing)


def notes(estimates: Estimates, most_faces: float) -> Iterator[str]:
    """Yield what a reader of the shares must know.

    Args:
        estimates: Estimates.
        most_faces: Faces at once that the confidence sequence counts.
    """
    segments = estimates.segments
    if segments.missing:
        yield (
            f"{segments.missing} of {segments.listed} segments have no results: the others of "
            "their strata stand for them, which is right only if nothing in them makes them fail"
        )
    if segments.merged:
        yield f"strata put together: {', '.join(segments.merged)}: each has results of one draw"
    unlabelled = segments.amounts.get(UNLABELLED)
    if unlabelled is not None:
        lost = float(segments.weight @ unlabelled)
        part = lost / (lost + float(segments.weight @ segments.labelled))
        yield f"{100 * part:.1f} % of the time has no label, and is left out"
    if estimates.crowded:
        yield (
            f"{estimates.crowded} draws have more than {most_faces:g} faces at once, and count "
            "less in the confidence sequence: give a larger --most_faces from the first look on"
        )


def summary(estimates: Estimates) -> str:
    """Return in words what the shares rest on."""
    segments = estimates.segments
    with_results = f"{segments.listed - segments.missing} of {segments.listed} segments"
    if segments.is_census:
        text = f"{with_results}: all of the archive, so that no lot has decided"
        return text + _not_corrected(segments)
    first = next((share.ratio for share in estimates.shares), None)
    design = f"{first.clusters} clusters in {first.strata} strata" if first else "no labels"
    looked = f"; at all times: the first {estimates.looked_at} draws" if estimates.looked_at else ""
    return f"{with_results}; {design}{looked}{_not_corrected(segments)}"


def _not_corrected(segments: Segments) -> str:
    return "; not corrected for what the network confuses" * (segments.answers is None)


def write(estimates: Estimates, path: Path) -> None:
    """Write the shares as JSON, with what `plan` takes from a pilot.

    Raises:
        ResourceError: The file cannot be written.
    """
    segments = estimates.segments
    per_film = max(1, round(len(segments.cluster) / len(np.unique(segments.cluster))))
    document = {
        "format": "ina-estimate",
        "version": 1,
        "segments": segments.listed,
        "missing": segments.missing,
        "shares": [_to_json(share) for share in estimates.shares],
        "pilot": {"deviation": estimates.deviation(), "per_film": per_film},
    }
    with atomic_write(path) as part:
        write_json(part, document)


def _to_json(share: EstimatedShare) -> dict[str, Any]:
    empty = math.isnan(share.ratio.value)
    return {
        "group": share.group,
        "where": share.where or None,
        "share": None if empty else share.ratio.value,
        "error": share.ratio.error,
        "low": None if empty else share.low,
        "high": None if empty else share.high,
        "at_all_times": share.sequence and list(share.sequence),
        "clusters": share.ratio.clusters,
        "strata": share.ratio.strata,
        "segments": share.segments,
        "corrected": None if share.corrected is None else share.corrected.value,
        "corrected_error": None if share.corrected is None else share.corrected.error,
        "corrected_interval": share.corrected_interval and list(share.corrected_interval),
    }


@dataclass(frozen=True)
class _Draws:
    """Draws from the first on, and the place of each one's segments among these; arrays."""

    segments: I64
    """Places of their segments (k,)."""
    number: I64
    """Number of the draw of each (k,), from 0."""
    scale: F64
    """What a second of a draw (T,) counts: its weight over its length."""

    def rates(self, amounts: F64) -> F64:
        """Return the amount of each draw (T,) in a second."""
        return np.bincount(self.number, amounts[self.segments], len(self.scale)) * self.scale


def shares(
    segments: Segments,
    *,
    by: str | None = None,
    reach: float | None = None,
    most_faces: float = MOST_FACES,
    skip_missing: bool = False,
) -> Estimates:
    """Estimate the share of each group, in the archive and by a column.

    Args:
        segments: From `analyzer.sampling.segments.read`.
        by: Column of which each value is a part of the archive.
        reach: Half of the width at which one wants to stop.
        most_faces: Faces at once up to which the confidence sequence counts.
        skip_missing: Whether draws without results are left out of the confidence sequence; else
            it ends before the first of them.
    """
    parts = {"": np.ones(len(segments.weight), bool)}
    if by:
        values = np.array(segments.columns[by])
        parts |= {str(value): values == value for value in np.unique(values)}
    draws = _draws(segments, math.inf if skip_missing else segments.first_missing)
    bound = most_faces * float(segments.draw_weight.max(initial=1.0))
    below = segments.labelled
    groups = [group for group in segments.amounts if group != UNLABELLED]
    if segments.answers is not None:
        groups += [group for group in segments.answers.groups if group not in groups]
    estimated = []
    for where, inside in parts.items():
        without_confusion = corrected.shares(segments, inside)
        for group in groups:
            share = _share(segments, group, where, inside, draws=draws, bound=bound, reach=reach)
            estimated.append(replace(share, corrected=without_confusion.get(group)))
    return Estimates(
        shares=estimated,
        segments=segments,
        looked_at=0 if draws is None else len(draws.scale),
        crowded=0 if draws is None else int((draws.rates(below) > bound).sum()),
    )


def _share(
    segments: Segments,
    group: str,
    where: str,
    inside: F64,
    *,
    draws: _Draws | None,
    bound: float,
    reach: float | None,
) -> EstimatedShare:
    """Estimate one share: what lies outside of a part of the archive counts as empty there."""
    nothing = np.zeros(len(segments.weight))
    above, below = segments.amounts.get(group, nothing) * inside, segments.labelled * inside
    if segments.is_census:
        total = float(below.sum())
        value = float(above.sum()) / total if total else math.nan
        exact = Ratio(value, 0.0, len(below), 1, total)
        return EstimatedShare(group, where, exact, value, value, int((below > 0).sum()))
    estimated = ratio.estimate(above, below, segments.weight, segments.stratum, segments.cluster)
    low, high = estimated.logit_interval()
    sure = None
    if draws is not None and not where:
        sure = _sequence(draws.rates(above), draws.rates(below), bound, reach)
    return EstimatedShare(group, where, estimated, low, high, int((below > 0).sum()), sure)


def _draws(segments: Segments, end: float) -> _Draws | None:
    """Return the draws before a number, in their order; `None` where none is known."""
    places = np.flatnonzero((segments.draw > 0) & (segments.draw < end))
    if not len(places):
        return None
    _, number = np.unique(segments.draw[places], return_inverse=True)
    length_s = np.bincount(number, segments.length_s[places])
    first = np.unique(number, return_index=True)[1]
    return _Draws(places, number.astype(np.int64), segments.draw_weight[places][first] / length_s)


def _sequence(above: F64, below: F64, bound: float, reach: float | None) -> tuple[float, float]:
    """Return the interval of the confidence sequence after draws (T,)."""
    scale = np.minimum(1.0, bound / np.maximum(below, 1e-12))
    low, high = sequence.intervals(above * scale, below * scale, bound=bound, reach=reach)[-1]
    return float(low), float(high)
