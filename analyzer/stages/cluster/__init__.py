"""Stage: tracks become persons.

In: embeddings of tracks. Out: a label for each track.
Used by the pipeline, by `analyzer.collection` and by `analyzer.evaluation`.
"""

from typing import Protocol, runtime_checkable

from analyzer.types import F32, I64


class Clusterer(Protocol):
    """Groups tracks by appearance."""

    def cluster(self, embeddings: F32, weights: F32, apart: I64, threshold: float) -> I64:
        """Group the tracks of one medium.

        Args:
            embeddings: (T, D) float32, one row for each track.
            weights: (T,) float32, how much each track counts.
            apart: (k, 2) int64, pairs of tracks that are on screen at once, so never one person.
            threshold: Euclidean distance below which two tracks may be one person.

        Returns:
            (T,) int64, label of each track, dense from 0.
        """
        ...


@runtime_checkable
class SpreadClusterer(Protocol):
    """A `Clusterer` that needs to know how much the faces of a track differ."""

    def cluster_spread(
        self, embeddings: F32, weights: F32, variances: F32, apart: I64, threshold: float
    ) -> I64:
        """Group the tracks of one medium; called instead of `Clusterer.cluster`.

        Args:
            embeddings: (T, D) float32, mean of each track's faces.
            weights: (T,) float32, how much each track counts.
            variances: (T,) float32, mean squared distance of each track's faces from their mean.
            apart: (k, 2) int64, pairs of tracks that are on screen at once, so never one person.
            threshold: Euclidean distance below which two tracks may be one person.

        Returns:
            (T,) int64, label of each track, dense from 0.
        """
        ...
