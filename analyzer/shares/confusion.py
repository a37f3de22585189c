"""Correction of shares for what the network confuses, and for faces that are not found.

A table says how often the network gives each answer to faces of each group, by their size. The
shares that explain the answers of a film best are found by expectation maximisation: Saerens,
Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities",
Neural Computation 2002; with one answer for each group it is the adjusted count of Forman,
"Quantifying counts and costs via classification", 2008, kept between 0 and 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.types import F64

_ROUNDS = 500
_STILL = 1e-9
_NONE = 1e-7
"""Share below which a group is taken to be absent."""
PRIOR = 0.5
"""Faces that are added to each cell of a table: what was never seen is not impossible."""


@dataclass(frozen=True)
class Confusion:
    """How often a network gives each of K answers to faces of G groups, in S classes of size."""

    groups: Sequence[str]
    counts: F64
    """(S, G, K) number of labelled faces."""
    prior: float = PRIOR
    """Faces that are added to each cell; 0 where the counts hold some of another table."""
    found: F64 | None = None
    """(G, 2) number of faces of each group that an audit saw in pictures, and that the detector
    found, and missed; `None` where nobody has looked for missed faces."""

    def likelihoods(self) -> F64:
        """Return the probability of each answer, given size and group: (S, G, K)."""
        cells = self.counts + self.prior
        return np.asarray(cells / cells.sum(axis=2, keepdims=True), np.float64)

    def recall(self) -> tuple[F64, F64]:
        """Return the share (G,) of the faces that is found, and the variance (G,) of its logarithm.

        Without an audit all faces count as found.
        """
        if self.found is None:
            return np.ones(len(self.groups)), np.zeros(len(self.groups))
        seen = self.found + PRIOR
        recall = seen[:, 0] / seen.sum(axis=1)
        return recall, (1 - recall) / (recall * seen.sum(axis=1))


@dataclass(frozen=True)
class Path:
    """Shares that one figure moves along, and what each answer tells about where on it they are.

    At x, the answer in cell c has the probability `base[c] + x * slope[c]`, and the figure is
    `(top[0] + x * top[1]) / (bottom[0] + x * bottom[1])`. It is 0 steep at the maximum of
    likelihood for all other directions (the least favourable path), so that it can be treated as
    the only unknown.
    """

    base: F64
    """(C,)"""
    slope: F64
    """(C,)"""
    top: tuple[float, float] = (0.0, 1.0)
    bottom: tuple[float, float] = (1.0, 0.0)
    variance: float = 0.0
    """Variance of x that the tables add: they were counted on so many faces only."""

    def value(self, x: float) -> float:
        """Return the figure at a place of the path, kept between 0 and 1."""
        share = (self.top[0] + x * self.top[1]) / (self.bottom[0] + x * self.bottom[1])
        return min(max(share, 0.0), 1.0)

    def place(self, share: float) -> float:
        """Return the place of the path at which the figure is a share."""
        return (share * self.bottom[0] - self.top[0]) / (self.top[1] - share * self.bottom[1])


def of_labels(share: float) -> Path:
    """Return the path of the share of a label; its cells are the label, and all others."""
    return Path(np.array([share, 1 - share]), np.array([1.0, -1.0]), top=(share, 1.0))


def prevalence(likelihoods: F64, amounts: F64) -> F64:
    """Return the shares (G,) of the found faces that explain the answers best.

    Args:
        likelihoods: (S, G, K) from `Confusion.likelihoods`.
        amounts: (S, K) screen time of the faces with each answer, in each class of size.
    """
    chances = _by_cell(likelihoods)
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


def corrected(found: F64, table: Confusion) -> F64:
    """Return the shares (G,) of all faces from those of the found ones (G,)."""
    whole = found / table.recall()[0]
    return np.asarray(whole / whole.sum(), np.float64)


def paths(table: Confusion, amounts: F64, found: F64) -> list[Path]:
    """Return the path of each group's corrected share.

    Args:
        table: What the network confuses.
        amounts: (S, K), as for `prevalence`.
        found: (G,) from `prevalence`.
    """
    likelihoods = table.likelihoods()
    chances = _by_cell(likelihoods)
    base = chances @ found
    weights = amounts.reshape(-1) / amounts.sum()
    _, information = _information(likelihoods, amounts, found)
    recall, doubt = table.recall()
    whole = (found / recall).sum()
    shares = corrected(found, table)
    result = []
    for group in range(len(found)):
        # d share / d found: a group's own, less what it takes of the whole.
        gradient = (np.eye(len(found))[group] - shares[group]) / (recall * whole)
        inverse = _inverse(information, (found > _NONE) | (np.arange(len(found)) == group))
        moves = inverse @ gradient
        reach = gradient @ moves
        way = moves / reach if reach > 0 else moves
        away = shares[group] * (np.eye(len(found))[group] - shares)
        result.append(
            Path(
                base,
                chances @ way,
                top=(found[group] / recall[group], way[group] / recall[group]),
                bottom=(whole, float((way / recall).sum())),
                variance=_of_counts(table, likelihoods, weights, found, moves)
                + float((away**2 * doubt).sum()),
            )
        )
    return result


def influences(likelihoods: F64, amounts: F64, shares: F64) -> F64:
    """Return how far each answer moves the shares of found faces, by unit of amount: (S, K, G).

    Multiplied by the amounts they add up to 0, so that the corrected share of a cluster can be
    written as a sum over its faces (the influence function of the maximum of likelihood).

    Args:
        likelihoods: (S, G, K) from `Confusion.likelihoods`.
        amounts: (S, K), as for `prevalence`.
        shares: (G,) from `prevalence`.
    """
    sizes, groups, answers = likelihoods.shape
    scores, information = _information(likelihoods, amounts, shares)
    moves = scores @ _inverse(information, shares > _NONE)
    return np.asarray(moves.reshape(sizes, answers, groups), np.float64)


def spread(table: Confusion, amounts: F64) -> F64:
    """Return the standard error (G,) of the shares that comes from the tables' few faces."""
    found = prevalence(table.likelihoods(), amounts)
    return np.sqrt([path.variance for path in paths(table, amounts, found)])


def _information(likelihoods: F64, amounts: F64, shares: F64) -> tuple[F64, F64]:
    """Return the scores (S K, G) of each answer, and the information (G, G) by unit of amount."""
    chances = _by_cell(likelihoods)
    scores = chances / (chances @ shares)[:, None]
    weights = amounts.reshape(-1) / amounts.sum()
    return scores, (scores * weights[:, None]).T @ scores


def _inverse(information: F64, free: NDArray[np.bool_]) -> F64:
    """Return the inverse (G, G) within the plane of shares that add up to 1."""
    inverse = np.zeros_like(information)
    if free.sum() > 1:
        plane = np.linalg.svd(np.ones((1, free.sum())))[2][1:].T
        within = plane.T @ information[np.ix_(free, free)] @ plane
        inverse[np.ix_(free, free)] = plane @ np.linalg.pinv(within) @ plane.T
    return inverse


def _of_counts(table: Confusion, likelihoods: F64, weights: F64, found: F64, moves: F64) -> float:
    """Return the variance of a share that comes from counting so few faces (delta method).

    Args:
        table: What was counted.
        likelihoods: (S, G, K) from it.
        weights: (C,) share of the time of each answer.
        found: (G,) shares of the found faces.
        moves: (G,) how far the share moves with each score.
    """
    chances = _by_cell(likelihoods)
    base = chances @ found
    cells = weights / base
    # How the scores, and with them the share, change with each probability of the table: (C, G).
    turned = cells[:, None] * (moves - np.outer(chances @ moves / base, found))
    change = turned.reshape(likelihoods.shape[0], likelihoods.shape[2], -1).transpose(0, 2, 1)
    means = (likelihoods * change).sum(axis=2)
    spreads = (likelihoods * change**2).sum(axis=2) - means**2
    return float((spreads / ((table.counts + table.prior).sum(axis=2) + 1)).sum())


def _by_cell(likelihoods: F64) -> F64:
    """Return likelihoods (S, G, K) with a row for each cell: (S K, G)."""
    return likelihoods.transpose(0, 2, 1).reshape(-1, likelihoods.shape[1])
