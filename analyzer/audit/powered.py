"""Prediction-powered shares: what the network says of all faces, put right by those with a label.

Angelopoulos, Bates, Fannjiang, Jordan and Zrnic, "Prediction-powered inference", Science 2023. The
estimate is the share of the predictions over all faces, plus the weighted mean of label minus
prediction over the labelled ones; its variance is the sum of both variances. It holds however wrong
the network is: that makes the interval wider only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import hypot

import numpy as np

from analyzer.audit.audit_file import Audit
from analyzer.audit.rates import JudgedFaces
from analyzer.sampling import ratio
from analyzer.shares.answers import GROUPS
from analyzer.types import I64

_Z = 1.959964
LEAST_CLUSTERS = 20
"""Films or persons below which a normal interval is too narrow."""


@dataclass(frozen=True)
class PoweredShare:
    """Share of a group of the time of all faces."""

    head: str
    group: str
    predicted: float
    """As the network labels all faces."""
    difference: float
    """Weighted mean of label minus prediction over the labelled faces."""
    error: float
    """Standard error of the sum."""
    clusters: int
    """Films, or persons, of the labelled faces."""
    labelled: float
    """Share of the labels alone, without the network."""
    labelled_error: float

    @property
    def value(self) -> float:
        """The estimate, within 0 and 1."""
        return min(1.0, max(0.0, self.predicted + self.difference))

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval; `None` where there are too few clusters, or no error was seen."""
        return self._around(self.predicted + self.difference, self.error)

    @property
    def labelled_interval(self) -> tuple[float, float] | None:
        """That of the labels alone: how much wider it is says what the predictions are worth."""
        return self._around(self.labelled, self.labelled_error)

    def _around(self, value: float, error: float) -> tuple[float, float] | None:
        if self.clusters < LEAST_CLUSTERS or not error:
            return None
        return max(0.0, value - _Z * error), min(1.0, value + _Z * error)


def shares(audit: Audit, judged: JudgedFaces) -> Iterator[PoweredShare]:
    """Yield the share of each group; nothing where the labels are of fewer than two clusters.

    Args:
        audit: The audit.
        judged: Its labelled faces.
    """
    cluster = clusters(audit, judged)
    count = len(np.unique(cluster))
    if count < 2:
        return
    stratum = np.zeros(len(cluster), np.int64)
    for number, group in enumerate(GROUPS[judged.head]):
        whole = audit.shares[judged.head][number]
        label = (judged.truth == number).astype(np.float64)
        residual = label - (judged.predicted == number)
        moved, alone = (
            ratio.estimate(v * judged.seconds, judged.seconds, judged.weight, stratum, cluster)
            for v in (residual, label)
        )
        yield PoweredShare(
            judged.head,
            group,
            predicted=whole.share,
            difference=moved.value,
            error=hypot(whole.error, moved.error),
            clusters=count,
            labelled=alone.value,
            labelled_error=alone.error,
        )


def clusters(audit: Audit, judged: JudgedFaces) -> I64:
    """Return the cluster (n,) of each labelled face: its film, or its person."""
    by_film = audit.clustered_by == "film"
    names = [face.uri if by_film else face.cluster for face in judged.faces]
    return np.unique(np.array(names), return_inverse=True)[1].astype(np.int64)
