"""Tracks as wholes: break them where the face changes, describe them, see which overlap."""

from dataclasses import dataclass

import numpy as np

from analyzer import tables
from analyzer.types import F32, F64, I64, Observations

_WINDOW = 3
_SAME_TIME_S = 1e-6
_REACH = 1.0
"""How many face sizes a face may be off where it is found again at once."""
_PACE = 3.0
"""How many more with each second of the gap."""


@dataclass(frozen=True)
class Tracks:
    """One row a track that has at least one described face."""

    ids: I64
    """(T,) ascending."""
    embeddings: F32
    """(T, D) quality-weighted means."""
    weights: F32
    """(T,) summed quality."""


def split(observations: Observations, threshold: float) -> I64:
    """Break tracks at cuts, and where one face gives way to another.

    Boxes alone cannot tell: the tracker links by position. The mean embeddings of up to three
    faces before and after each point of a track are compared; the track is cut where they are
    further apart than ``threshold`` and further than at the points around.

    Returns:
        (N,) new track ids, dense from 0 in order of first appearance.
    """
    shot = np.searchsorted(observations.cuts, observations.time_s, side="right")
    order = np.lexsort((observations.time_s, shot, observations.track_id))
    described = np.zeros(len(observations), bool)
    described[observations.embedding_rows] = True
    place = np.cumsum(described) - 1
    key = np.stack([observations.track_id[order], shot[order]])
    starts = np.ones(len(order), bool)
    starts[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    for rows_at in np.split(np.arange(len(order)), np.nonzero(starts)[0][1:]):
        with_face = rows_at[described[order[rows_at]]]
        for cut in _changes(observations.embeddings[place[order[with_face]]], threshold):
            starts[with_face[cut]] = True
    part = np.empty(len(order), np.int64)
    part[order] = np.cumsum(starts) - 1
    return _dense(part)


def _dense(ids: I64) -> I64:
    """Number ids from 0 in order of first appearance."""
    _, first, inverse = np.unique(ids, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int64)


def _changes(embeddings: F32, threshold: float) -> list[int]:
    """Points of one track, as indices of the first face of the new one."""
    n = len(embeddings)
    if n < 2:
        return []
    total = np.concatenate([np.zeros((1, embeddings.shape[1])), np.cumsum(embeddings, 0)])
    points = np.arange(1, n)
    low, high = np.maximum(points - _WINDOW, 0), np.minimum(points + _WINDOW, n)
    before = (total[points] - total[low]) / (points - low)[:, None]
    after = (total[high] - total[points]) / (high - points)[:, None]
    distance = np.linalg.norm(after - before, axis=1)
    return [
        int(point)
        for point in points[distance > threshold]
        if distance[point - 1] >= distance[max(0, point - _WINDOW) : point + _WINDOW - 1].max()
    ]


def drop_undetected(observations: Observations) -> Observations:
    """Leave out tracks without a single detection: what a tracker carried across a cut."""
    seen = np.unique(observations.track_id[~np.isnan(observations.detect_conf)])
    keep = np.isin(observations.track_id, seen)
    return observations if keep.all() else tables.take(observations, keep)


def clear(observations: Observations, found: Tracks, least: float) -> Tracks:
    """The tracks with at least one face that is clear enough to tell who it is.

    Faces without detail all look alike to a network: dark or blurred ones of different people
    lie closer together than sharp ones of the same person.

    Args:
        observations: all rows.
        found: the described tracks.
        least: sharpness that a track's sharpest face must have.
    """
    best = np.zeros(len(found.ids), np.float32)
    known = np.isin(observations.track_id, found.ids)
    at = np.searchsorted(found.ids, observations.track_id[known])
    np.maximum.at(best, at, observations.sharpness[known])
    keep = best >= least
    return Tracks(found.ids[keep], found.embeddings[keep], found.weights[keep])


def link(observations: Observations, threshold: float, *, max_gap_s: float = 2.0) -> I64:
    """Join tracks of one shot that are one face: lost behind a hand, found again near by.

    A track is joined to the one that ended before it, at most ``max_gap_s`` seconds earlier and
    no further than a face's size and its pace allow, whose face is closer than ``threshold``. The
    most alike and the soonest first; a track has one predecessor and one successor at most.

    Returns:
        (N,) new track ids, dense from 0 in order of first appearance.
    """
    found = embed(observations)
    ends = _Ends.of(observations, found.ids)
    pairs = []
    for later in range(len(found.ids)):
        earlier = ends.may_precede(later, max_gap_s)
        distance = np.linalg.norm(found.embeddings[earlier] - found.embeddings[later], axis=1)
        cost = distance / threshold + (ends.start_s[later] - ends.end_s[earlier]) / max_gap_s
        pairs += [(cost[i], earlier[i], later) for i in np.nonzero(distance < threshold)[0]]
    before: dict[int, int] = {}
    followed: set[int] = set()
    for _, one, other in sorted(pairs):
        if one not in followed and other not in before:
            followed.add(one)
            before[other] = one
    joined = found.ids.copy()
    # In order of time, so that the one before has its final number already.
    for later in np.argsort(ends.start_s, kind="stable").tolist():
        if later in before:
            joined[later] = joined[before[later]]
    ids = observations.track_id.copy()
    known = np.isin(ids, found.ids)
    ids[known] = joined[np.searchsorted(found.ids, ids[known])]
    return _dense(ids)


@dataclass(frozen=True)
class _Ends:
    """Where and when tracks begin and end; one row a track."""

    shot: I64
    start_s: F64
    end_s: F64
    first: F32
    """(T, 4) first box."""
    last: F32
    """(T, 4) last box."""
    by_end: I64
    """(T,) the tracks in order of their ends."""

    @classmethod
    def of(cls, table: Observations, ids: I64) -> "_Ends":
        order = np.lexsort((table.time_s, table.track_id))
        sorted_ids = table.track_id[order]
        first = order[np.searchsorted(sorted_ids, ids)]
        last = order[np.searchsorted(sorted_ids, ids, side="right") - 1]
        end_s = table.time_s[last] + table.duration_s[last]
        return cls(
            shot=np.searchsorted(table.cuts, table.time_s[first], side="right"),
            start_s=table.time_s[first],
            end_s=end_s,
            by_end=np.argsort(end_s, kind="stable"),
            first=table.boxes[first],
            last=table.boxes[last],
        )

    def may_precede(self, later: int, max_gap_s: float) -> I64:
        """Indices of the tracks that may be what this one was before."""
        start = self.start_s[later]
        window = np.searchsorted(self.end_s[self.by_end], [start - max_gap_s, start + _SAME_TIME_S])
        earlier = self.by_end[window[0] : window[1]]
        earlier = earlier[(self.shot[earlier] == self.shot[later]) & (earlier != later)]
        box = self.first[later]
        size = np.sqrt((box[2] - box[0]) * (box[3] - box[1]))
        centres = (self.last[earlier, :2] + self.last[earlier, 2:]) / 2
        way = np.linalg.norm(centres - (box[:2] + box[2:]) / 2, axis=1)
        gap = np.maximum(start - self.end_s[earlier], 0)
        return earlier[way <= size * (_REACH + _PACE * gap)]


def embed(observations: Observations) -> Tracks:
    """Average the embeddings of each track, sharp frontal confident faces counting most."""
    rows = observations.embedding_rows
    ids, at = np.unique(observations.track_id[rows], return_inverse=True)
    quality = observations.quality[rows]
    weights = np.bincount(at, quality, len(ids)).astype(np.float32)
    sums = np.zeros((len(ids), observations.embeddings.shape[1]))
    np.add.at(sums, at, observations.embeddings * quality[:, None])
    means = (sums / np.maximum(weights, 1e-12)[:, None]).astype(np.float32)
    return Tracks(ids.astype(np.int64), means, weights)


def apart(observations: Observations, ids: I64) -> I64:
    """Pairs of tracks that share a frame, as indices into ``ids``: (k, 2).

    Two faces of one picture are two persons.
    """
    known = np.isin(observations.track_id, ids)
    index = np.searchsorted(ids, observations.track_id[known])
    frames = observations.frame[known]
    order = np.argsort(frames, kind="stable")
    groups = np.split(index[order], np.nonzero(np.diff(frames[order]))[0] + 1)
    pairs = {
        (int(a), int(b))
        for group in groups
        for i, a in enumerate(sorted(set(group.tolist())))
        for b in sorted(set(group.tolist()))[i + 1 :]
    }
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)
