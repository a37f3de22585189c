"""Chinese whispers: each track takes the label that its neighbours whisper loudest.

Biemann, "Chinese Whispers: an efficient graph clustering algorithm", TextGraphs 2006. The number
of persons need not be known. Tracks that must stay apart never share a label: a label that is
taken by such a track is not heard.
"""

import numpy as np

from analyzer.runtime import Runtime
from analyzer.types import F32, I64

_BLOCK = 2048


def create(*, rounds: int = 30, seed: int = 0, runtime: Runtime) -> "ChineseWhispers":
    """Chinese whispers; rounds: most passes over the tracks."""
    return ChineseWhispers(rounds, seed)


class ChineseWhispers:
    """Groups tracks; see `analyzer.cluster.Clusterer`."""

    def __init__(self, rounds: int, seed: int) -> None:
        self._rounds, self._seed = rounds, seed

    def cluster(self, embeddings: F32, weights: F32, apart: I64, threshold: float) -> I64:
        """Group the tracks of one medium; see `analyzer.cluster.Clusterer`."""
        n = len(embeddings)
        neighbours = _neighbours(embeddings, weights, threshold)
        rivals: list[list[int]] = [[] for _ in range(n)]
        for a, b in apart.tolist():
            rivals[a].append(b)
            rivals[b].append(a)
        labels = np.arange(n)
        order = np.random.default_rng(self._seed)
        for _ in range(self._rounds):
            changed = False
            for node in order.permutation(n):
                near, loudness = neighbours[node]
                heard, taken = labels[near], labels[rivals[node]]
                loudest = _loudest(heard, loudness, taken, own=int(labels[node]))
                changed |= loudest != labels[node]
                labels[node] = loudest
            if not changed:
                break
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _neighbours(embeddings: F32, weights: F32, threshold: float) -> list[tuple[I64, F32]]:
    """Indices and loudness of the tracks within the threshold of each track.

    A neighbour is louder the nearer it is and the more its track counts. Distances are made a
    block of rows at a time, so that memory does not grow with the square of the tracks.
    """
    norms = np.einsum("td,td->t", embeddings, embeddings)
    found = []
    for start in range(0, len(embeddings), _BLOCK):
        block = embeddings[start : start + _BLOCK]
        squared = norms[start : start + _BLOCK, None] + norms - 2 * block @ embeddings.T
        distance = np.sqrt(np.maximum(squared, 0))
        for row, values in enumerate(distance):
            near = np.nonzero(values < threshold)[0]
            near = near[near != start + row]
            found.append((near, (threshold - values[near]) * weights[near]))
    return found


def _loudest(heard: I64, loudness: F32, taken: I64, *, own: int) -> int:
    """The label with the greatest sum of loudness that no rival holds; ties keep the lowest."""
    allowed = ~np.isin(heard, taken)
    if not allowed.any():
        return own
    names, at = np.unique(heard[allowed], return_inverse=True)
    return int(names[np.bincount(at, loudness[allowed]).argmax()])
