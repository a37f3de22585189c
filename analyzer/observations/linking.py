"""Joins tracks of one shot that are one face: lost behind a hand, or too quick to follow."""

from dataclasses import dataclass, replace

import numpy as np

from analyzer.imaging import boxes
from analyzer.observations.tracks import embed
from analyzer.types import F32, F64, I64, Observations
from analyzer.types.groups import dense
from analyzer.types.media import SAME_TIME_S

_REACH = 1.0
"""How many face sizes a face may be off where it is found again at once."""
_PACE = 4.0
"""How many more with each second in between."""
_FURTHEST = 2.0
"""Greatest number: a face further off after a while is as likely another person."""
_COURSE_S = 0.5
"""How long a face is expected to go on as it went."""
_ROUNDS = 4


def link_tracklets(observations: Observations, threshold: float, *, max_gap_s: float = 2.0) -> I64:
    """Join each track to the one that was the same face before.

    That is a track of the same shot which ended at most `max_gap_s` seconds earlier, no further
    than a face's size and its pace allow from where it stood or was going to, and with a face that
    is closer than `threshold`. The most alike and the soonest first; a track has one predecessor
    and one successor at most. What was joined shows where a face was going, and its mean is a
    better likeness: so all is done again until nothing changes.

    Returns:
        (N,) new track ids, dense from 0 in order of first appearance.
    """
    ids = dense(observations.track_id)
    for _ in range(_ROUNDS):
        before, ids = ids, _link_pairs(replace(observations, track_id=ids), threshold, max_gap_s)
        if np.array_equal(before, ids):
            break
    return ids


def _link_pairs(observations: Observations, threshold: float, max_gap_s: float) -> I64:
    described = embed(observations)
    ends = _Ends.of(observations, described.ids)
    pairs = []
    for later in range(len(described.ids)):
        earlier = ends.may_precede(later, max_gap_s)
        distance = np.linalg.norm(
            described.embeddings[earlier] - described.embeddings[later], axis=1
        )
        cost = distance / threshold + (ends.start_s[later] - ends.last_s[earlier]) / _COURSE_S
        pairs += [(cost[i], earlier[i], later) for i in np.nonzero(distance < threshold)[0]]
    before: dict[int, int] = {}
    followed: set[int] = set()
    for _, first, other in sorted(pairs):
        if first not in followed and other not in before:
            followed.add(first)
            before[other] = first
    joined = described.ids.copy()
    # In order of time, so that the one before has its final number already.
    for later in np.argsort(ends.start_s, kind="stable").tolist():
        if later in before:
            joined[later] = joined[before[later]]
    ids = observations.track_id.copy()
    is_described = np.isin(ids, described.ids)
    ids[is_described] = joined[np.searchsorted(described.ids, ids[is_described])]
    return dense(ids)


@dataclass(frozen=True)
class _Ends:
    """Where and when tracks begin and end, and where they are going; one row a track."""

    shot: I64
    start_s: F64
    last_s: F64
    """(T,) when the last picture with the face begins."""
    end_s: F64
    first: F32
    """(T, 2) first centre."""
    last: F32
    """(T, 2) last centre."""
    came: F32
    """(T, 2) pixels a second at the beginning; 0 where there is one picture alone."""
    went: F32
    """(T, 2) pixels a second at the end."""
    size: F32
    """(T,) of the first face."""
    by_end: I64
    """(T,) the tracks in order of their ends."""

    @classmethod
    def of(cls, table: Observations, ids: I64) -> "_Ends":
        order = np.lexsort((table.time_s, table.track_id))
        sorted_ids = table.track_id[order]
        low = np.searchsorted(sorted_ids, ids)
        high = np.searchsorted(sorted_ids, ids, side="right") - 1
        first, last = order[low], order[high]
        second, last_but_one = order[np.minimum(low + 1, high)], order[np.maximum(high - 1, low)]
        centres = (table.boxes[:, :2] + table.boxes[:, 2:]) * np.float32(0.5)
        end_s = table.time_s[last] + table.duration_s[last]

        def pace(first: I64, other: I64) -> F32:
            elapsed = np.maximum(table.time_s[other] - table.time_s[first], SAME_TIME_S)
            return ((centres[other] - centres[first]) / elapsed[:, None]).astype(np.float32)

        return cls(
            shot=np.searchsorted(table.cuts, table.time_s[first], side="right"),
            start_s=table.time_s[first],
            last_s=table.time_s[last],
            end_s=end_s,
            first=centres[first],
            last=centres[last],
            came=pace(first, second),
            went=pace(last_but_one, last),
            size=np.sqrt(boxes.area(table.boxes[first])),
            by_end=np.argsort(end_s, kind="stable"),
        )

    def may_precede(self, later: int, max_gap_s: float) -> I64:
        """Return indices of the tracks that may be this one's predecessor."""
        start = self.start_s[later]
        window = np.searchsorted(self.end_s[self.by_end], [start - max_gap_s, start + SAME_TIME_S])
        earlier = self.by_end[window[0] : window[1]]
        earlier = earlier[(self.shot[earlier] == self.shot[later]) & (earlier != later)]
        elapsed = start - self.last_s[earlier]
        course = np.minimum(elapsed, _COURSE_S)[:, None]
        step = self.first[later] - self.last[earlier]
        off = np.stack([step, step - self.went[earlier] * course, step - self.came[later] * course])
        way = np.linalg.norm(off, axis=2).min(axis=0)
        reach = np.minimum(_REACH + _PACE * elapsed, _FURTHEST)
        return earlier[way <= self.size[later] * reach]
