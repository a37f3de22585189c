"""Correction of shares for what the network confuses.

A table says how often the network gives each answer to faces of each group, by their size. The
shares that explain the answers of a film best are found by expectation maximisation: Saerens,
Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
Neural Computation 2002; with one answer for each group it is the adjusted count of Forman,
"Quantifying counts and costs via classification", 2008, kept between 0 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analyzer.types import F64, I64

_ROUNDS = 500
_STILL = 1e-9
_NONE = 1e-7
"""Share below which a group is taken to be absent."""
PRIOR = 0.5
"""Faces that are added to each cell of a table: what was never seen is not impossible."""
_LEAST_CELL = 1e-9
"""Draws of cells that hold a small part of a face may be 0, and an answer impossible."""
DRAWS = 100
"""Number of tables drawn to see how far a table from so many faces can be trusted."""


@dataclass(frozen=True)
class Confusion:
    """How often a network gives each of K answers to faces of G groups, in S classes of size."""

    groups: Sequence[str]
    counts: F64
    """(S, G, K) number of labelled faces."""
    prior: float = PRIOR
    """Faces that are added to each cell; 0 where the counts hold some of another table."""

    def likelihoods(self) -> F64:
        """Return the probability of each answer, given size and group: (S, G, K)."""
        return _normal(self.counts + self.prior)

    def draw(self, random: np.random.Generator) -> F64:
        """Return probabilities (S, G, K) that the same counts could have come from as well."""
        cells = random.standard_gamma(self.counts + self.prior)
        return _normal(np.maximum(cells, _LEAST_CELL))


def prevalence(likelihoods: F64, amounts: F64) -> F64:
    """Return the shares (G,) that explain the answers best.

    Args:
        likelihoods: (S, G, K) from `Confusion.likelihoods`.
        amounts: (S, K) screen time of the faces with each answer, in each class of size.
    """
    chances = likelihoods.transpose(0, 2, 1).reshape(-1, likelihoods.shape[1])  # (S K, G)
    weights = amounts.reshape(-1)
    shares = np.full(chances.shape[1], 1 / chances.shape[1])
    for _ in range(_ROUNDS):
        joint = chances * shares
        joint *= (weights / joint.sum(axis=1))[:, None]
        better = joint.sum(axis=0) / weights.sum()
        if np.abs(better - shares).max() < _STILL:
            break
        shares = better
    return shares


def influences(likelihoods: F64, amounts: F64, shares: F64) -> F64:
    """Return how far each answer moves the shares, for each unit of its amount: (S, K, G).

    Multiplied by the amounts they add up to 0, so that the corrected share of a cluster can be
    written as a sum over its faces (the influence function of the maximum of likelihood).

    Args:
        likelihoods: (S, G, K) from `Confusion.likelihoods`.
        amounts: (S, K), as for `prevalence`.
        shares: (G,) from `prevalence`.
    """
    sizes, groups, answers = likelihoods.shape
    chances = likelihoods.transpose(0, 2, 1).reshape(-1, groups)
    weights = amounts.reshape(-1)
    present = shares > _NONE
    moves = np.zeros((len(weights), groups))
    if present.sum() > 1:
        scores = chances[:, present] / (chances @ shares)[:, None]
        information = (scores * weights[:, None]).T @ scores / weights.sum()
        # Shares add up to 1: they move within the plane of these directions alone.
        plane = np.linalg.svd(np.ones((1, present.sum())))[2][1:].T
        inverse = plane @ np.linalg.pinv(plane.T @ information @ plane) @ plane.T
        moves[:, present] = scores @ inverse
    return moves.reshape(sizes, answers, groups)


def spread(table: Confusion, amounts: F64, *, seed: int = 0) -> F64:
    """Return the standard error (G,) of the shares that comes from the table's few faces."""
    random = np.random.default_rng(seed)
    drawn = [prevalence(table.draw(random), amounts) for _ in range(DRAWS)]
    return np.asarray(np.std(drawn, axis=0, ddof=1), np.float64)


def amounts(sizes: I64, answers: I64, weights: F64, shape: tuple[int, int]) -> F64:
    """Return the weights (n,) added up by class of size and answer: `shape` (S, K)."""
    at = np.ravel_multi_index((sizes, answers), shape)
    return added_up(at, weights, shape[0] * shape[1]).reshape(shape)


def added_up(at: I64, weights: F64, count: int) -> F64:
    """Return the sum (count,) of the weights (n,) at each place."""
    return np.asarray(np.bincount(at, weights, minlength=count), np.float64)


def _normal(cells: F64) -> F64:
    """Return cells (S, G, K) as shares of their row."""
    return np.asarray(cells / cells.sum(axis=2, keepdims=True), np.float64)
