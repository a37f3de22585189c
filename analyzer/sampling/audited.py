"""Shares of a sample that are put right by what an audit says of the labels of tracks."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.errors import UsageError
from analyzer.sampling import estimate, ratio
from analyzer.sampling.estimate import EstimatedShare, Estimates
from analyzer.sampling.ratio import Ratio
from analyzer.sampling.results import AGES, group_names
from analyzer.sampling.segments import Segments
from analyzer.shares import confusion, tables
from analyzer.shares.confusion import Confusion
from analyzer.shares.tables import OwnTables
from analyzer.types import F64


def of_joblist(
    path: Path,
    *,
    confusion: Path | None,
    head: str,
    over: str,
    ages: Sequence[float],
    by: str | None,
    **options: Any,
) -> Estimates:
    """Estimate shares, put right by an audit; see `analyzer.sampling.estimate.of_joblist`.

    Args:
        path: The joblist.
        confusion: File that `audit report --write` has written; `None`: as they are.
        head: Attribute that is estimated.
        over: Must be `faces`.
        ages: Ages at which a group begins: those of the audit.
        by: Column by which shares are wanted.
        options: Further ones.

    Raises:
        InputError: The file cannot be read, or is of other networks.
        UsageError: The audit knows nothing of this.
    """
    own = _tables(confusion, head, over, ages) if confusion else None
    found = estimate.of_joblist(path, head=head, over=over, ages=ages, by=by, own=own, **options)
    return corrected(found, own.labels[head], head, by) if own else found


def _tables(path: Path, head: str, over: str, ages: Sequence[float]) -> OwnTables:
    """Read the tables of an audit."""
    if over != "faces":
        raise UsageError("--confusion is about faces: leave out --over persons")
    if head == "age" and tuple(ages) != AGES:
        raise UsageError("--confusion has the age groups of the audit: leave out --ages")
    own = tables.own(path)
    if head not in own.labels:
        known = ", ".join(own.labels) or "no attribute"
        raise UsageError(f"{path}: has no table of {head}, but of {known}: audit more faces")
    return own


def corrected(found: Estimates, labels: Confusion, head: str, by: str | None) -> Estimates:
    """Return estimates with the shares under which the labels of all tracks are most probable.

    The error is that of the sample, by the influence of each label, and that of the table.

    Args:
        found: Estimates of the labels.
        labels: What the labels of tracks confuse, of one class of size.
        head: Attribute.
        by: Column by which was estimated.
    """
    segments, names = found.segments, group_names(head, AGES)
    none = np.zeros(len(segments.weight))
    amounts = np.stack([segments.amounts.get(name, none) for name in names], axis=1)
    shares: list[EstimatedShare] = []
    for where in dict.fromkeys(share.where for share in found.shares):
        inside = np.ones(len(amounts), bool)
        if where and by:
            inside = np.array([value == where for value in segments.columns[by]])
        of_part = _corrected(segments, amounts * inside[:, None], labels)
        shares += [
            _share(name, where, one, int((amounts[inside].sum(axis=1) > 0).sum()))
            for name, one in zip(names, of_part, strict=True)
        ]
    return replace(found, shares=shares, looked_at=0, crowded=0)


def _share(name: str, where: str, value: Ratio, count: int) -> EstimatedShare:
    if math.isnan(value.value):
        return EstimatedShare(name, where, value, math.nan, math.nan, count)
    low, high = value.logit_interval()
    return EstimatedShare(name, where, value, low, high, count)


def _corrected(segments: Segments, amounts: F64, labels: Confusion) -> Iterator[Ratio]:
    """Yield the share of each group, of amounts (n, G)."""
    whole, sums = amounts.sum(axis=1), (segments.weight @ amounts)[None]
    total, count = float(sums.sum()), amounts.shape[1]
    if not total > 0:
        yield from [Ratio(math.nan, 0.0, len(whole), 1, 0.0)] * count
        return
    likelihoods = labels.likelihoods()
    shares = confusion.prevalence(likelihoods, sums)
    moves = confusion.influences(likelihoods, sums, shares)[0]
    spread = confusion.spread(labels, sums)
    for group in range(count):
        value = float(shares[group])
        if segments.is_census:
            yield Ratio(value, float(spread[group]), len(whole), 1, total)
            continue
        parts = amounts @ (value + moves[:, group])
        drawn = ratio.estimate(parts, whole, segments.weight, segments.stratum, segments.cluster)
        yield replace(drawn, value=value, error=math.hypot(drawn.error, spread[group]))
