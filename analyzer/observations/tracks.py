"""Tracks: split where the face changes, averaged, filtered, compared for overlaps in time."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from analyzer.observations import table
from analyzer.types import F32, I64, Observations
from analyzer.types.groups import dense, group_means

_WINDOW = 3
"""Number of faces before and after a point that are compared there."""
CERTAIN = 1.3
"""Recognisability of faces that embeddings tell apart without doubt."""
_PORTRAIT = 1.4
"""Recognisability of portraits, above which a face is no clearer: that of half a face may be."""
_DOUBT = 1.2
"""Squared thresholds by which a face is further from others, by recognisability that it lacks."""
_EDGE_POWER = 0.25
"""How much less is recognised of a face that the picture's edge cuts. With 30 % of the pictures of
LFW cut through the face, 99.1 % of the pairs that are joined are one person; at 0, 97.3 %."""
_SHARPEST = 0.9
"""Rank, as a share, of the face that gives a track its sharpness."""


@dataclass(frozen=True)
class Tracks:
    """Table of T tracks that have at least one described face each."""

    ids: I64
    """(T,) track ids, ascending."""
    embeddings: F32
    """(T, D) quality-weighted mean embeddings."""
    weights: F32
    """(T,) summed quality."""
    variances: F32
    """(T,) mean squared distance of the faces from the mean embedding, quality-weighted."""
    recognisability: F32
    """(T,) quality-weighted mean, less where the picture's edge cuts faces; NaN where unknown."""
    inside: F32
    """(T,) quality-weighted mean share of the faces that lies in the picture."""

    def __getitem__(self, keep: NDArray[np.bool_]) -> "Tracks":
        return Tracks(*(getattr(self, field.name)[keep] for field in fields(self)))

    def spread(self, threshold: float) -> F32:
        """Return the variances (T,) with the doubt in faces that are hard to recognise.

        The less can be recognised of two faces, the nearer are their embeddings, even of different
        persons. Among 2,900 degraded pictures of LFW, the squared distance below which one of a
        thousand pairs of different persons lies is smaller by this.

        Args:
            threshold: Euclidean distance below which two clear faces are one person.
        """
        known = np.nan_to_num(self.recognisability, nan=CERTAIN)
        missing = np.maximum(CERTAIN - known, 0)
        return (self.variances + _DOUBT * threshold**2 * missing).astype(np.float32)


def split_tracklets(observations: Observations, threshold: float) -> I64:
    """Split tracks at cuts, and where the face changes.

    The tracker links boxes by position, and so it can continue on another face. The mean
    embeddings of up to three faces before and after each point of a track are compared. The track
    is split where their distance is above `threshold` and greatest among the points around.

    Args:
        observations: All N rows.
        threshold: Euclidean distance of mean embeddings above which the face has changed.

    Returns:
        (N,) new track ids, dense from 0 in order of first appearance.
    """
    shot = np.searchsorted(observations.cuts, observations.time_s, side="right")
    order = np.lexsort((observations.time_s, shot, observations.track_id))
    described = np.zeros(len(observations), bool)
    described[observations.embedding_rows] = True
    embedding_of = np.cumsum(described) - 1
    key = np.stack([observations.track_id[order], shot[order]])
    starts = np.ones(len(order), bool)
    starts[1:] = (key[:, 1:] != key[:, :-1]).any(axis=0)
    for rows_at in np.split(np.arange(len(order)), np.nonzero(starts)[0][1:]):
        with_face = rows_at[described[order[rows_at]]]
        for cut in _changes(observations.embeddings[embedding_of[order[with_face]]], threshold):
            starts[with_face[cut]] = True
    part = np.empty(len(order), np.int64)
    part[order] = np.cumsum(starts) - 1
    return dense(part)


def _changes(embeddings: F32, threshold: float) -> list[int]:
    """Return the points where the face changes.

    Args:
        embeddings: (n, D) described faces of one track, in order of time.
        threshold: Distance of mean embeddings above which the face has changed.

    Returns:
        Indices of the first faces after a change.
    """
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
    """Return the table without tracks that have no detection, as a tracker makes across a cut."""
    detected_tracks = np.unique(observations.track_id[~np.isnan(observations.detect_conf)])
    keep = np.isin(observations.track_id, detected_tracks)
    return observations if keep.all() else table.take(observations, keep)


def recognisable(observations: Observations, described: Tracks, least: float) -> Tracks:
    """Return the tracks with faces that are sharp enough to recognise.

    Faces without detail look alike to a network: dark or blurred faces of different people are
    closer to each other than sharp faces of one person.

    Args:
        observations: All rows.
        described: Described tracks.
        least: Sharpness, 0 to 1, that the sharpest tenth of a track's faces must have. The
            sharpest face alone would not do: the more frames are analysed, the sharper it is.
    """
    order = np.lexsort((observations.sharpness, observations.track_id))
    ids = observations.track_id[order]
    first, end = (
        np.searchsorted(ids, described.ids),
        np.searchsorted(ids, described.ids, side="right"),
    )
    sharp_rank = np.ceil(first + _SHARPEST * (end - 1 - first)).astype(np.int64)
    keep = observations.sharpness[order[sharp_rank]] >= least
    return described[keep]


def embed(observations: Observations) -> Tracks:
    """Average the embeddings of each track by the quality of its faces."""
    rows = observations.embedding_rows
    ids, at = np.unique(observations.track_id[rows], return_inverse=True)
    quality = observations.quality[rows]
    means, weights = group_means(observations.embeddings, at, quality, len(ids))
    squared = ((observations.embeddings - means[at]) ** 2).sum(axis=1)
    inside = np.nan_to_num(observations.inside[rows], nan=1)
    recognisability = np.minimum(observations.recognisability[rows], _PORTRAIT)
    rated = np.stack([squared, recognisability * inside**_EDGE_POWER, inside], axis=1)
    rates, _ = group_means(rated.astype(np.float32), at, quality, len(ids))
    return Tracks(ids.astype(np.int64), means, weights, *rates.T)


def cannot_link_pairs(observations: Observations, ids: I64) -> I64:
    """Return the pairs of tracks that share a frame: two faces of one picture are two persons.

    Args:
        observations: All rows.
        ids: (T,) track ids, ascending.

    Returns:
        (k, 2) pairs of indices into `ids`, ascending.
    """
    is_listed = np.isin(observations.track_id, ids)
    index = np.searchsorted(ids, observations.track_id[is_listed])
    frames = observations.frame[is_listed]
    order = np.argsort(frames, kind="stable")
    groups = np.split(index[order], np.nonzero(np.diff(frames[order]))[0] + 1)
    pairs = {
        (int(a), int(b))
        for group in groups
        for i, a in enumerate(sorted(set(group.tolist())))
        for b in sorted(set(group.tolist()))[i + 1 :]
    }
    return np.array(sorted(pairs), np.int64).reshape(-1, 2)
