"""Ratios of totals, estimated from a sample of segments, with their design-based intervals.

The variance is that of the linearised ratio (Särndal, Swensson and Wretman, Model Assisted Survey
Sampling, 1992, sections 5.6 and 5.7), between the clusters of each stratum, as if these were drawn
with replacement.
"""

from dataclasses import dataclass

import numpy as np

from analyzer import registry
from analyzer.errors import UsageError
from analyzer.types import F64, I64

CONFIDENCE = 0.95
_MOST_ERROR = 1.5
"""Standard error, in units of share * (1 - share), above which log odds tell nothing. A sample
alone makes none so large; the doubt about what a network confuses does, where next to nobody is."""


@dataclass(frozen=True)
class Ratio:
    """An estimated ratio of two totals."""

    value: float
    """The ratio; NaN where the denominator is 0."""
    error: float
    """Standard error."""
    clusters: int
    strata: int
    denominator: float
    """Estimated total below the line."""

    @property
    def degrees(self) -> int:
        """Degrees of freedom."""
        return self.clusters - self.strata

    def _quantile(self, confidence: float) -> float:
        student = registry.module("quantiles", "student")
        return float(student.quantile((1 + confidence) / 2, self.degrees))

    def interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Return the t interval of a share, within 0 and 1.

        Args:
            confidence: Probability that intervals such as this one cover the truth.
        """
        reach = self._quantile(confidence) * self.error
        return max(0.0, self.value - reach), min(1.0, self.value + reach)

    def logit_interval(self, confidence: float = CONFIDENCE) -> tuple[float, float]:
        """Return the t interval of a share on the scale of log odds, which fits small shares.

        Where the error is large beside the share, it is the plain t interval.

        Args:
            confidence: Probability that intervals such as this one cover the truth.
        """
        odds = self.value * (1 - self.value)
        if not self.error < _MOST_ERROR * odds:
            return self.interval(confidence)
        reach = self._quantile(confidence) * self.error / odds
        centre = np.log(self.value / (1 - self.value))
        # Of a share of next to nothing the ends lie beyond what `exp` can tell from 0 and 1.
        ends = np.clip([centre - reach, centre + reach], -700, 700)
        low, high = 1 / (1 + np.exp(-ends))
        return float(low), float(high)


def estimate(above: F64, below: F64, weight: F64, stratum: I64, cluster: I64) -> Ratio:
    """Estimate a ratio of totals.

    Args:
        above: Values (n,) of the segments above the line, such as seconds of women.
        below: Values (n,) below the line, such as seconds of everybody.
        weight: How many segments of the archive each one stands for (n,).
        stratum: Number of each one's stratum (n,), from 0.
        cluster: Number of each one's cluster (n,), from 0; a cluster lies in one stratum.

    Raises:
        UsageError: A stratum has one cluster only.
    """
    total = float(weight @ below)
    if not total > 0:
        value, residuals = float("nan"), np.zeros(len(above))
    else:
        value = float(weight @ above) / total
        residuals = weight * (above - value * below) / total
    sums, owners = _cluster_sums(residuals, stratum, cluster)
    error = float(np.sqrt(_variance(sums, owners)))
    return Ratio(value, error, len(sums), len(np.unique(owners)), total)


def _cluster_sums(values: F64, stratum: I64, cluster: I64) -> tuple[F64, I64]:
    """Return the sum of each cluster, and its stratum."""
    _, first, codes = np.unique(cluster, return_index=True, return_inverse=True)
    sums = np.bincount(codes, values, len(first)).astype(np.float64)
    return sums, stratum[first]


def _variance(sums: F64, owners: I64) -> float:
    """Return the variance of the total of cluster sums (c,) that lie in strata (c,)."""
    _, codes, counts = np.unique(owners, return_inverse=True, return_counts=True)
    if (counts == 1).any():
        raise UsageError(
            "a stratum has one cluster only, which tells nothing of its spread: put it together "
            "with a stratum like it, or draw more"
        )
    means = np.bincount(codes, sums) / counts
    squares = np.bincount(codes, (sums - means[codes]) ** 2)
    return float((counts / (counts - 1) * squares).sum())
