"""Shares of screen time and of people, observed and corrected, each with its interval."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from analyzer.shares import answers as network
from analyzer.shares import confusion
from analyzer.shares.amounts import Amounts, of_report, sex_given_from
from analyzer.shares.confusion import Confusion, Path
from analyzer.shares.interval import (
    FEW,
    LEAST_CLUSTERS,
    Interval,
    path_interval,
    rate_interval,
    ratio_interval,
)
from analyzer.shares.tables import tables_of
from analyzer.types import F64, MediaReport

NOT_GIVEN = "not given"
"""Group of what has no label."""


@dataclass(frozen=True)
class GroupShare:
    """Share of one group."""

    measure: str
    """`face_time`: every face on screen counts for as long as it is seen, also those of nobody;
    `persons`: every character counts once; `people_per_minute`: every character counts once in each
    minute in which it is seen."""
    head: str
    group: str
    amount: float
    """Seconds of faces, number of persons, or people per minute, of all groups together; of the
    group `not given`, with it."""
    observed: float
    """Share of the amount, 0 to 1."""
    corrected: float | None
    """Share that explains the network's answers best; `None` where there is no table for it."""
    interval: Interval
    """Interval of `corrected`, or of `observed` where that is `None`."""
    note: str = ""
    """Why a figure is missing."""
    per_minute: float | None = None
    """People of the group on screen in a minute; `None` of other measures."""
    per_minute_ends: tuple[float | None, float | None] = (None, None)
    """Interval of that; `None` where there are too few clusters."""
    is_of_given: bool = False
    """Whether there is more than the amount: that of the group `not given`."""

    @property
    def best(self) -> float:
        """The corrected share where there is one, or else the observed one."""
        return self.observed if self.corrected is None else self.corrected


def shares(
    report: MediaReport, tables: Mapping[str, Confusion] | None = None
) -> Iterator[GroupShare]:
    """Yield the shares of a medium, by head, measure and group.

    Args:
        report: Report of the medium.
        tables: Head -> what its network confuses; by default what is shipped with the network.
    """
    if tables is None:
        models = report.provenance.get("models", {})
        tables = tables_of(models, sex_given_from=sex_given_from(report))
    return of_amounts(of_report(report), tables)


def of_amounts(amounts: Iterable[Amounts], tables: Mapping[str, Confusion]) -> Iterator[GroupShare]:
    """Yield the shares of a medium, or of a collection.

    Args:
        amounts: From `analyzer.shares.amounts`.
        tables: Head -> what its network confuses.
    """
    for each in amounts:
        yield from _shares(each, tables.get(each.head))


def _shares(amounts: Amounts, table: Confusion | None) -> Iterator[GroupShare]:
    """Yield the shares of those with a label, and that of those without, where there are any."""
    if amounts.labelled.sum() > 0:
        yield from _of_groups(amounts, table)
    if amounts.unlabelled.sum() > 0:
        yield _of_the_others(amounts)


def _of_the_others(amounts: Amounts) -> GroupShare:
    """Return the share of all that has no label."""
    parts = amounts.unlabelled
    wholes = amounts.labelled.sum(axis=1) + parts
    return _share(amounts, NOT_GIVEN, parts, wholes, ratio_interval(parts, wholes))


def _of_groups(amounts: Amounts, table: Confusion | None) -> Iterator[GroupShare]:
    wholes = amounts.labelled.sum(axis=1)
    corrected, paths = _corrected(amounts, table)
    for number, group in enumerate(network.GROUPS[amounts.head]):
        parts = amounts.labelled[:, number]
        if amounts.answers is not None and paths:
            cells = amounts.answers.reshape(len(parts), -1)
            interval = path_interval(paths[number], cells, parts)
        else:
            interval = ratio_interval(parts, wholes)
        share = _share(amounts, group, parts, wholes, interval)
        yield replace(
            share,
            corrected=float(corrected[number]) if paths else None,
            is_of_given=bool(amounts.unlabelled.any()),
        )


def _share(amounts: Amounts, group: str, parts: F64, wholes: F64, interval: Interval) -> GroupShare:
    """Return the share of a group, not corrected.

    Args:
        amounts: Amounts in n clusters.
        group: Name of the group.
        parts: (n,) that of the group.
        wholes: (n,) that of which it is a share.
        interval: Interval of the share.
    """
    length = 1.0 if amounts.minutes is None else float(amounts.minutes.sum())
    per_minute, ends = _rates(amounts, parts)
    return GroupShare(
        measure=amounts.measure,
        head=amounts.head,
        group=group,
        amount=float(wholes.sum()) / length,
        observed=float(parts.sum() / wholes.sum()),
        corrected=None,
        interval=interval,
        note=_note(interval, amounts.clusters),
        per_minute=per_minute,
        per_minute_ends=ends,
    )


def _corrected(amounts: Amounts, table: Confusion | None) -> tuple[F64, list[Path]]:
    """Return corrected shares (G,) and their paths; none where nothing can be corrected."""
    if table is None or amounts.answers is None:
        return np.empty(0), []
    answers = amounts.answers.sum(axis=0)
    found = confusion.prevalence(table.likelihoods(), answers)
    return confusion.corrected(found, table), confusion.paths(table, answers, found)


def _rates(amounts: Amounts, parts: F64) -> tuple[float | None, tuple[float | None, float | None]]:
    """Return the people of a group per minute, and the interval; nothing of other measures.

    Args:
        amounts: Amounts in n clusters.
        parts: (n,) that of the group.
    """
    if amounts.minutes is None:
        return None, (None, None)
    ends = rate_interval(parts, amounts.minutes) or (None, None)
    return float(parts.sum() / amounts.minutes.sum()), ends


def _note(interval: Interval, clusters: str) -> str:
    if not interval.reason:
        return ""
    if interval.reason == FEW:
        return f"no interval: fewer than {LEAST_CLUSTERS} {clusters} with this group, or without it"
    return f"no interval: a few {clusters} decide this share"
