"""Chinese whispers: each track takes the label that its neighbours whisper loudest.

Biemann, "Chinese Whispers: an efficient graph clustering algorithm", TextGraphs 2006. The number
of persons need not be given. Tracks that must stay apart never share a label: a label that such a
track has is not heard. At the end, groups with centres that are near enough are joined.
"""

import numpy as np

from analyzer.inference.runtime import Runtime
from analyzer.stages.cluster._centroids import merge
from analyzer.stages.cluster._graph import neighbours, rivals_of_tracks
from analyzer.types import F32, I64
from analyzer.types.groups import dense


def create(*, rounds: int = 30, seed: int = 0, runtime: Runtime) -> "ChineseWhispers":
    """Return a clusterer by Chinese whispers.

    Args:
        rounds: Greatest number of passes over the tracks.
        seed: Seed of the order in which the tracks listen.
        runtime: Not used.
    """
    return ChineseWhispers(rounds, seed)


class ChineseWhispers:
    """Groups tracks; see `analyzer.stages.cluster.Clusterer`."""

    def __init__(self, rounds: int, seed: int) -> None:
        self._rounds, self._seed = rounds, seed

    def cluster(self, embeddings: F32, weights: F32, apart: I64, threshold: float) -> I64:
        """Group the tracks of one medium; see `analyzer.stages.cluster.Clusterer`."""
        n = len(embeddings)
        # A neighbour is louder the nearer it is and the more its track counts.
        heard = [
            (near, (threshold - distance) * weights[near])
            for near, distance in neighbours(embeddings, threshold)
        ]
        rivals = rivals_of_tracks(apart, n)
        labels = np.arange(n)
        random = np.random.default_rng(self._seed)
        for _ in range(self._rounds):
            changed = False
            for node in random.permutation(n).tolist():
                near, loudness = heard[node]
                taken = labels[rivals[node]]
                loudest = _loudest(labels[near], loudness, taken, own=int(labels[node]))
                changed |= loudest != labels[node]
                labels[node] = loudest
            if not changed:
                break
        return merge(dense(labels), embeddings, weights, apart, threshold)


def _loudest(heard: I64, loudness: F32, taken: I64, *, own: int) -> int:
    """Return the loudest label that no rival has; of equally loud ones, the lowest.

    Args:
        heard: (m,) int64, label of each neighbour.
        loudness: (m,) float32, loudness of each neighbour.
        taken: (k,) int64, labels of the rivals.
        own: The track's own label, for the case that no label is left.
    """
    allowed = ~np.isin(heard, taken)
    if not allowed.any():
        return own
    labels, positions = np.unique(heard[allowed], return_inverse=True)
    return int(labels[np.bincount(positions, loudness[allowed]).argmax()])
