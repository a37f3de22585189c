"""Online centroids: each track joins the nearest person found so far, or becomes a new one.

One pass over the tracks, as for a stream. A person's centre moves until it is made of `refine`
tracks: after that it is settled, and cannot drift from one face to another.
"""

import numpy as np

from analyzer.inference.runtime import Runtime
from analyzer.stages.cluster._graph import rivals_of_tracks
from analyzer.types import F32, I64


def create(*, refine: int = 20, runtime: Runtime) -> "OnlineCentroids":
    """Return a clusterer that goes over the tracks once.

    Args:
        refine: Greatest number of tracks in a person's centre.
        runtime: Not used.
    """
    return OnlineCentroids(refine)


class OnlineCentroids:
    """Groups tracks; see `analyzer.stages.cluster.Clusterer`."""

    def __init__(self, refine: int) -> None:
        self._refine = refine

    def cluster(self, embeddings: F32, weights: F32, apart: I64, threshold: float) -> I64:
        """Group the tracks of one medium; see `analyzer.stages.cluster.Clusterer`."""
        n = len(embeddings)
        centres = np.empty_like(embeddings)
        totals, counts = np.zeros(n), np.zeros(n, np.int64)
        labels = np.full(n, -1, np.int64)
        rivals = rivals_of_tracks(apart, n)
        persons = 0
        for track in range(n):
            distance = np.linalg.norm(centres[:persons] - embeddings[track], axis=1)
            taken = labels[rivals[track]]
            distance[taken[taken >= 0]] = np.inf
            label = int(distance.argmin()) if persons else -1
            if not persons or distance[label] >= threshold:
                label, persons = persons, persons + 1
                centres[label] = 0
            labels[track] = label
            counts[label] += 1
            if counts[label] <= self._refine:
                totals[label] += weights[track]
                step = weights[track] / max(totals[label], 1e-12)
                centres[label] += (embeddings[track] - centres[label]) * np.float32(step)
        return labels
