"""Agglomerative: the two groups with the nearest centres become one, until none are near enough.

See `analyzer.stages.cluster._centroids`; at first every track is a group of its own.
"""

import numpy as np

from analyzer.inference.runtime import Runtime
from analyzer.stages.cluster._centroids import merge
from analyzer.types import F32, I64


def create(*, runtime: Runtime) -> "Agglomerative":
    """Return a clusterer that joins the nearest groups first.

    It is slower than Chinese whispers, but never joins long chains.
    """
    return Agglomerative()


class Agglomerative:
    """Groups tracks; see `analyzer.stages.cluster.Clusterer`."""

    def cluster(self, embeddings: F32, weights: F32, apart: I64, threshold: float) -> I64:
        """Group the tracks of one medium; see `analyzer.stages.cluster.Clusterer`."""
        return merge(np.arange(len(embeddings)), embeddings, weights, apart, threshold)
