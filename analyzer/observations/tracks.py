"""Tracks: split where the face changes, averaged, filtered, compared for overlaps in time."""

from dataclasses import dataclass

import numpy as np

from analyzer.observations import table
from analyzer.types import F32, I64, Observations
from analyzer.types.groups import dense, group_means

_WINDOW = 3
"""Number of faces before and after a point that are compared there."""
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
    return Tracks(described.ids[keep], described.embeddings[keep], described.weights[keep])


def embed(observations: Observations) -> Tracks:
    """Average the embeddings of each track; confident, sharp and frontal faces count most."""
    rows = observations.embedding_rows
    ids, at = np.unique(observations.track_id[rows], return_inverse=True)
    quality = observations.quality[rows]
    means, weights = group_means(observations.embeddings, at, quality, len(ids))
    return Tracks(ids.astype(np.int64), means, weights)


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
