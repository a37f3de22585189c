"""Links between tracks of one face: lost behind a hand, or too quick to follow."""

from dataclasses import dataclass, replace

import numpy as np

from analyzer.imaging import boxes
from analyzer.observations.tracks import embed
from analyzer.types import F32, F64, I64, Observations
from analyzer.types.groups import dense
from analyzer.types.media import SAME_TIME_S

_START_OFFSET = 1.0
"""Offset, in face sizes, that a face may have where it appears again at once."""
_OFFSET_PER_S = 4.0
"""Face sizes by which the allowed offset grows with each second in between."""
_MAX_OFFSET = 2.0
"""Greatest allowed offset: a face further off after a while is as likely another person."""
_MAX_GROWTH = 2.0
"""Greatest ratio of the sizes of a face before and after the time in between: in the labelled
media those of one face differ by 1.3 at most, those of two faces often by more than 2."""
_PREDICTION_S = 0.5
"""Time for which a face is expected to keep its velocity."""
_MAX_ROUNDS = 4


def link_tracklets(observations: Observations, threshold: float, *, max_gap_s: float = 2.0) -> I64:
    """Join each track to the track that showed the same face before it.

    The earlier track is in the same shot, has its last picture before the first one of the later
    track, ended at most `max_gap_s` seconds before, stands no further away than a face's size and
    its speed allow (from its last or its predicted position), is neither twice nor half as large,
    and has a mean embedding closer than `threshold`. The most alike and the soonest pairs are
    joined first; a track has one predecessor and one successor at most. A joined track has a
    longer course and a better mean embedding, so the search is repeated until nothing changes.

    Args:
        observations: All N rows.
        threshold: Euclidean distance of mean embeddings below which two tracks are one face.
        max_gap_s: Longest time between two tracks, in seconds.

    Returns:
        (N,) new track ids, dense from 0 in order of first appearance.
    """
    ids = dense(observations.track_id)
    for _ in range(_MAX_ROUNDS):
        before, ids = ids, _link_pairs(replace(observations, track_id=ids), threshold, max_gap_s)
        if np.array_equal(before, ids):
            break
    return ids


def _link_pairs(observations: Observations, threshold: float, max_gap_s: float) -> I64:
    """Return track ids (N,) after one round of joining; see `link_tracklets`."""
    described = embed(observations)
    ends = _TrackEnds.of(observations, described.ids)
    pairs = []
    for later in range(len(described.ids)):
        earlier = ends.possible_predecessors(later, max_gap_s)
        distance = np.linalg.norm(
            described.embeddings[earlier] - described.embeddings[later], axis=1
        )
        gap_s = ends.start_s[later] - ends.last_s[earlier]
        cost = distance / threshold + gap_s / _PREDICTION_S
        pairs += [(cost[i], earlier[i], later) for i in np.nonzero(distance < threshold)[0]]
    predecessor: dict[int, int] = {}
    with_successor: set[int] = set()
    for _, first, second in sorted(pairs):
        if first not in with_successor and second not in predecessor:
            with_successor.add(first)
            predecessor[second] = first
    joined = described.ids.copy()
    # In order of time, so that a predecessor has its final number already.
    for later in np.argsort(ends.start_s, kind="stable").tolist():
        if later in predecessor:
            joined[later] = joined[predecessor[later]]
    ids = observations.track_id.copy()
    is_described = np.isin(ids, described.ids)
    ids[is_described] = joined[np.searchsorted(described.ids, ids[is_described])]
    return dense(ids)


@dataclass(frozen=True)
class _TrackEnds:
    """Times, positions and velocities of T tracks where they begin and end."""

    shot: I64
    """(T,) number of the shot."""
    first_frame: I64
    """(T,) number of the first picture with the face."""
    last_frame: I64
    """(T,) number of the last picture with the face."""
    start_s: F64
    """(T,) time of the first picture with the face."""
    last_s: F64
    """(T,) time of the last picture with the face."""
    end_s: F64
    """(T,) time at which that picture ends."""
    first_centre: F32
    """(T, 2) pixels."""
    last_centre: F32
    """(T, 2) pixels."""
    entry_velocity: F32
    """(T, 2) pixels per second at the beginning; 0 for a track of one picture."""
    exit_velocity: F32
    """(T, 2) pixels per second at the end; 0 for a track of one picture."""
    size: F32
    """(T,) size of the first face, pixels."""
    last_size: F32
    """(T,) size of the last face, pixels."""
    by_end: I64
    """(T,) indices of the tracks in order of their ends."""

    @classmethod
    def of(cls, table: Observations, ids: I64) -> "_TrackEnds":
        """Measure the ends of tracks.

        Args:
            table: All rows.
            ids: (T,) track ids, ascending.
        """
        order = np.lexsort((table.time_s, table.track_id))
        sorted_ids = table.track_id[order]
        low = np.searchsorted(sorted_ids, ids)
        high = np.searchsorted(sorted_ids, ids, side="right") - 1
        first, last = order[low], order[high]
        second, last_but_one = order[np.minimum(low + 1, high)], order[np.maximum(high - 1, low)]
        centres = (table.boxes[:, :2] + table.boxes[:, 2:]) * np.float32(0.5)
        end_s = table.time_s[last] + table.duration_s[last]

        def velocity(earlier: I64, later: I64) -> F32:
            elapsed_s = np.maximum(table.time_s[later] - table.time_s[earlier], SAME_TIME_S)
            return ((centres[later] - centres[earlier]) / elapsed_s[:, None]).astype(np.float32)

        return cls(
            shot=np.searchsorted(table.cuts, table.time_s[first], side="right"),
            first_frame=table.frame[first],
            last_frame=table.frame[last],
            start_s=table.time_s[first],
            last_s=table.time_s[last],
            end_s=end_s,
            first_centre=centres[first],
            last_centre=centres[last],
            entry_velocity=velocity(first, second),
            exit_velocity=velocity(last_but_one, last),
            size=np.sqrt(boxes.area(table.boxes[first])),
            last_size=np.sqrt(boxes.area(table.boxes[last])),
            by_end=np.argsort(end_s, kind="stable"),
        )

    def possible_predecessors(self, later: int, max_gap_s: float) -> I64:
        """Return the indices of the tracks that may continue in a track.

        Args:
            later: Index of the track that begins later.
            max_gap_s: Longest time between the two, in seconds.
        """
        start = self.start_s[later]
        window = np.searchsorted(self.end_s[self.by_end], [start - max_gap_s, start + SAME_TIME_S])
        earlier = self.by_end[window[0] : window[1]]
        # By number, not by time: all faces of a still have one time, and a length of 0.
        before = self.last_frame[earlier] < self.first_frame[later]
        earlier = earlier[(self.shot[earlier] == self.shot[later]) & before]
        elapsed_s = start - self.last_s[earlier]
        max_offset = np.minimum(_START_OFFSET + _OFFSET_PER_S * elapsed_s, _MAX_OFFSET)
        offset = self._predicted_offset(earlier, later, elapsed_s)
        is_near = offset <= self.size[later] * max_offset
        sizes = self.last_size[earlier], self.size[later]
        is_as_large = np.maximum(*sizes) <= _MAX_GROWTH * np.minimum(*sizes)
        return earlier[is_near & is_as_large]

    def _predicted_offset(self, earlier: I64, later: int, elapsed_s: F64) -> F32:
        """Return the distance (k,) in pixels between the predicted and the real position.

        It is the least of three predictions: the face stands still, keeps its exit velocity, or
        came with its entry velocity.

        Args:
            earlier: (k,) indices of the tracks that end.
            later: Index of the track that begins.
            elapsed_s: (k,) seconds in between.
        """
        moving_s = np.minimum(elapsed_s, _PREDICTION_S)[:, None]
        step = self.first_centre[later] - self.last_centre[earlier]
        predicted_offset = np.stack(
            [
                step,
                step - self.exit_velocity[earlier] * moving_s,
                step - self.entry_velocity[later] * moving_s,
            ]
        )
        return np.linalg.norm(predicted_offset, axis=2).min(axis=0)
