"""Average: the two groups with the most alike faces become one, until none are alike enough.

Average linkage (Sokal and Michener, 1958) of the squared distances between the *faces* of two
groups, not between their centres: distances between centres shrink as groups grow diverse, and so
chain. Of groups with the means m and the variances v of their faces it is |m - m'|^2 + v + v', so
that no face is looked at again (Lance and Williams, 1967).

Two groups that are each other's nearest stay so whatever else is joined; all such pairs are joined
at once (Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983), which
gives the groups that joining one pair after the other gives.
"""

from dataclasses import dataclass

import numpy as np

from analyzer.inference.runtime import Runtime
from analyzer.stages.cluster._graph import nearest
from analyzer.types import F32, F64, I64
from analyzer.types.groups import dense

_NEIGHBOURS = 24
"""Neighbours of a track; groups that grow get further ones in the next round."""
_BLOCK = 1 << 16
"""Pairs of groups with distances that are computed at once."""


def create(*, scale: float = 1.2, exact: bool = False, runtime: Runtime) -> "Average":
    """Return a clusterer that joins groups by the mean distance between their faces.

    Args:
        scale: Factor of the threshold: faces are further from each other than their means are.
        exact: Whether the graph of nearest neighbours is exact for any number of tracks.
        runtime: Not used.
    """
    return Average(scale, exact)


class Average:
    """Groups tracks; see `analyzer.stages.cluster.SpreadClusterer`."""

    def __init__(self, scale: float, exact: bool) -> None:
        self._scale, self._exact = scale, exact

    def cluster(self, embeddings: F32, weights: F32, apart: I64, threshold: float) -> I64:
        """Group the tracks of one medium; see `analyzer.stages.cluster.Clusterer`."""
        variances = np.zeros(len(embeddings), np.float32)
        return self._cluster(embeddings, weights, variances, apart, threshold)

    def cluster_spread(
        self, embeddings: F32, weights: F32, variances: F32, apart: I64, threshold: float
    ) -> I64:
        """Group tracks of several faces; see `analyzer.stages.cluster.SpreadClusterer`."""
        return self._cluster(embeddings, weights, variances, apart, self._scale * threshold)

    def _cluster(
        self, embeddings: F32, weights: F32, variances: F32, apart: I64, threshold: float
    ) -> I64:
        labels = np.arange(len(embeddings))
        groups = _FaceGroups(
            embeddings.astype(np.float32),
            np.maximum(weights.astype(np.float64), 1e-12),
            variances.astype(np.float64),
        )
        while len(groups):
            rivals = np.unique(np.sort(labels[apart], axis=1), axis=0)
            pairs = nearest(groups.means, threshold, _NEIGHBOURS, exact=self._exact)
            joined, groups = _join(groups, pairs, rivals, threshold**2)
            labels = joined[labels]
            if len(groups) == len(joined):
                break
        return dense(labels)


@dataclass(frozen=True)
class _FaceGroups:
    """Means (n, D), weights (n,) and variances (n,) of the faces of n groups."""

    means: F32
    weights: F64
    variances: F64

    def __len__(self) -> int:
        return len(self.means)

    def distances(self, pairs: I64) -> F64:
        """Return the mean squared distance (k,) between the faces of each pair (k, 2)."""
        squared = np.empty(len(pairs))
        for start in range(0, len(pairs), _BLOCK):
            first, second = pairs[start : start + _BLOCK].T
            offset = self.means[first] - self.means[second]
            squared[start : start + _BLOCK] = np.einsum("nd,nd->n", offset, offset)
        return squared + self.variances[pairs].sum(axis=1)

    def join(self, label: I64, pairs: I64) -> "_FaceGroups":
        """Return the groups after some pairs (k, 2) became one.

        Args:
            label: (n,) number of each group afterwards.
            pairs: Pairs; no group is in two of them.
        """
        count = int(label.max()) + 1
        means, weights = np.empty((count, self.means.shape[1]), np.float32), np.empty(count)
        variances = np.empty(count)
        means[label], weights[label] = self.means, self.weights
        variances[label] = self.variances
        a, b = pairs.T
        new, total = label[a], self.weights[a] + self.weights[b]
        share = (self.weights[b] / total)[:, None]
        offset = self.means[b].astype(np.float64) - self.means[a]
        means[new], weights[new] = self.means[a] + share * offset, total
        within = self.weights[a] * self.variances[a] + self.weights[b] * self.variances[b]
        between = share[:, 0] * (1 - share[:, 0]) * (offset**2).sum(axis=1)
        variances[new] = within / total + between
        return _FaceGroups(means, weights, variances)


def _join(groups: _FaceGroups, pairs: I64, rivals: I64, limit: float) -> tuple[I64, _FaceGroups]:
    """Join groups along a graph until no two neighbours are near enough.

    Args:
        groups: n groups.
        pairs: (k, 2) neighbours, each pair once.
        rivals: (r, 2) groups that are never one.
        limit: Squared distance below which two groups are one.

    Returns:
        (n,) number of each group afterwards, and the groups.
    """
    labels = np.arange(len(groups))
    squared = groups.distances(pairs)
    while True:
        keep = (squared < limit) & ~_contains(rivals, pairs, len(groups))
        pairs, squared = pairs[keep], squared[keep]
        if not len(pairs):
            return labels, groups
        chosen = pairs[_mutual(pairs, squared, len(groups))]
        alone = np.ones(len(groups), bool)
        alone[chosen[:, 1]] = False
        label = np.cumsum(alone) - 1
        label[chosen[:, 1]] = label[chosen[:, 0]]
        groups, labels = groups.join(label, chosen), label[labels]
        rivals = _numbered(rivals, label)
        moved = np.zeros(len(alone), bool)
        moved[chosen] = True
        is_stale = moved[pairs].any(axis=1)
        fresh = _numbered(pairs[is_stale], label)
        # Pairs that nothing happened to stay as they are, and are not among the others.
        pairs = np.concatenate([label[pairs[~is_stale]], fresh])
        squared = np.concatenate([squared[~is_stale], groups.distances(fresh)])


def _mutual(pairs: I64, squared: F64, count: int) -> I64:
    """Return the indices of the pairs that are each other's nearest; of ties the first numbers."""
    order = np.lexsort((pairs[:, 1], pairs[:, 0], squared))
    rank = np.empty(len(pairs), np.int64)
    rank[order] = np.arange(len(pairs))
    best = np.full(count, len(pairs))
    np.minimum.at(best, pairs[:, 0], rank)
    np.minimum.at(best, pairs[:, 1], rank)
    return np.nonzero((rank == best[pairs[:, 0]]) & (rank == best[pairs[:, 1]]))[0]


def _numbered(pairs: I64, label: I64) -> I64:
    """Return the different pairs of groups after these got new numbers, without those of one."""
    new = np.sort(label[pairs], axis=1)
    new = new[new[:, 0] != new[:, 1]]
    count = int(label.max(initial=0)) + 1
    keys = np.unique(new[:, 0] * count + new[:, 1])
    return np.stack([keys // count, keys % count], axis=1)


def _contains(rivals: I64, pairs: I64, count: int) -> "np.ndarray":
    """Return which (k,) of some pairs are among the rivals."""
    return np.isin(pairs[:, 0] * count + pairs[:, 1], rivals[:, 0] * count + rivals[:, 1])
