"""Draw faces by lot, so that all groups are seen, and each face stands for a known number.

Each variable, such as the predicted sex, gets the same part of the draws, divided evenly between
its groups; one more part is divided as the faces are. So small groups are drawn more often than
they come, without a stratum for each combination. The draw is systematic, with probabilities
proportional to size, over faces in the order of the combinations (Särndal, Swensson and Wretman,
Model Assisted Survey Sampling, 1992, section 3.6.2).
"""

from collections.abc import Sequence

import numpy as np

from analyzer.types import F64, I64


def draw(
    weights: F64, variables: Sequence[I64], count: int, random: np.random.Generator
) -> tuple[I64, F64]:
    """Draw candidates, each once at most.

    Args:
        weights: (n,) faces that each candidate stands for.
        variables: Groups (n,) of each variable, from 0.
        count: Number of candidates that are wanted.
        random: For the lot.

    Returns:
        Places (k,) of the drawn ones, ascending, and the faces (k,) that each of them stands for:
        they add up to the sum of all weights.
    """
    if count >= len(weights):
        return np.arange(len(weights)), weights
    chances = inclusion(weights, variables, count)
    order = np.lexsort((random.random(len(weights)), *variables[::-1]))
    ends = np.cumsum(chances[order])
    marks = random.random() + np.arange(count)
    # The chances add up to `count` but for rounding: the last mark may lie beyond.
    drawn = np.sort(order[np.unique(np.minimum(np.searchsorted(ends, marks), len(order) - 1))])
    return drawn, scaled(weights[drawn] / chances[drawn], weights.sum())


def inclusion(weights: F64, variables: Sequence[I64], count: int) -> F64:
    """Return the probability (n,) with which each candidate is drawn; they add up to `count`."""
    measure = weights / weights.sum()
    for groups in variables:
        totals = np.bincount(groups, weights)
        measure = measure + weights / totals[groups] / (totals > 0).sum()
    chances = np.zeros(len(weights))
    sure = np.zeros(len(weights), bool)
    while True:
        left = np.where(sure, 0, measure)
        chances = np.where(sure, 1.0, left * ((count - sure.sum()) / left.sum()))
        if (chances <= 1).all():
            return chances
        sure |= chances >= 1


def scaled(weights: F64, total: float) -> F64:
    """Return weights that add up to a total."""
    return weights * (total / weights.sum())
