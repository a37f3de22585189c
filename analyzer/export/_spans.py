"""Boxes between the samples: how long each is drawn, and where it moves meanwhile."""

from dataclasses import dataclass

import numpy as np

from analyzer.types import F64, I64, MediaReport
from analyzer.types.media import SAME_TIME_S

_MAX_MISSED_S = 0.5
"""Longest time between two samples of a track over which its box moves on, in seconds: that over
which trackers follow a face that was missed."""
_MAX_MISSED_SAMPLES = 1.5
"""The same in lengths of a sample: one may be missed. They differ in length by rounding."""


@dataclass(frozen=True)
class Spans:
    """Times for which the boxes of N rows are drawn; none crosses a cut."""

    start_s: F64
    """(N,) time of the row's picture."""
    end_s: F64
    """(N,) end: the next sample of the track, or how long the row's own sample lasts."""
    after: I64
    """(N,) row of which the box is, when the span ends: the next of the track, or the row itself
    where the box stays."""


def spans(report: MediaReport) -> Spans:
    """Return how long the boxes of the N rows are drawn, and where they move.

    A box moves to the next sample of its track if both are of one shot and at most one sample was
    missed between them. Else it stays for as long as its sample lasts, and no longer than its shot.
    """
    table = report.observations
    count = len(table)
    after = np.arange(count)
    end_s = np.minimum(table.time_s + table.duration_s, _shot_ends(report))
    order = np.lexsort((table.time_s, table.track_id))
    now, later = order[:-1], order[1:]
    shot = shot_numbers(report)
    missed_s = table.time_s[later] - table.time_s[now] - table.duration_s[now]
    allowed_s = np.minimum(_MAX_MISSED_SAMPLES * table.duration_s[now], _MAX_MISSED_S)
    moves = (
        (table.track_id[now] == table.track_id[later])
        & (shot[now] == shot[later])
        & (table.time_s[later] > table.time_s[now])
        & (missed_s <= allowed_s + SAME_TIME_S)
    )
    after[now[moves]] = later[moves]
    end_s[now[moves]] = table.time_s[later[moves]]
    return Spans(table.time_s, end_s, after)


def shot_numbers(report: MediaReport) -> I64:
    """Return the number (N,) of the shot of each row."""
    begins = _shot_begins(report)
    return np.searchsorted(begins, report.observations.time_s + SAME_TIME_S, side="right")


def _shot_ends(report: MediaReport) -> F64:
    """Return when the shot of each row ends (N,), in seconds; infinity for the last shot."""
    begins = _shot_begins(report)
    return np.append(begins, np.inf)[shot_numbers(report)]


def _shot_begins(report: MediaReport) -> F64:
    return np.unique(np.concatenate([report.shots[:, 0], report.observations.cuts]))
