"""Measures of agreement between a clustering and the true groups.

Three measures, for none says all: pairs weigh large groups most, B-cubed weighs every item the
same, and mutual information knows nothing of pairs. All are counted on the contingency table of
the two groupings, of which only the cells that hold something are kept.
"""

from dataclasses import dataclass, replace

import numpy as np

from analyzer.types import F64, I64


@dataclass(frozen=True)
class Score:
    """Precision and recall, 0 to 1."""

    precision: float
    """Of what was put together, the share that belongs together; 1 where nothing was."""
    recall: float
    """Of what belongs together, the share that was put together; 1 where nothing does."""

    @property
    def f1(self) -> float:
        """Harmonic mean of both."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """What `compare` counts."""

    items: int
    true_groups: int
    found_groups: int
    pairs: Score
    """Over all pairs of items."""
    bcubed: Score
    """Averaged over the items (Bagga and Baldwin, "Entity-based cross-document coreferencing using
    the vector space model", ACL 1998)."""
    nmi: float
    """Mutual information over the geometric mean of the entropies, 0 to 1 (Strehl and Ghosh,
    "Cluster ensembles", Journal of Machine Learning Research 3, 2002)."""


def compare(true: I64, predicted: I64) -> Agreement:
    """Count how well two groupings of the same items agree.

    Args:
        true: (n,) group of each item; the numbers mean nothing else.
        predicted: (n,) likewise.

    Raises:
        ValueError: There is no item, or the lengths differ.
    """
    if not len(true) or len(true) != len(predicted):
        raise ValueError(f"{len(true)} true and {len(predicted)} found groups of items")
    rows, row_sizes = _groups(true)
    columns, column_sizes = _groups(predicted)
    cells, at = np.unique(rows * len(column_sizes) + columns, return_index=True)
    common = np.bincount(np.searchsorted(cells, rows * len(column_sizes) + columns)).astype(float)
    of_row, of_column = row_sizes[rows[at]], column_sizes[columns[at]]
    together = _pairs(common)
    return Agreement(
        items=len(true),
        true_groups=len(row_sizes),
        found_groups=len(column_sizes),
        pairs=Score(_share(together, _pairs(column_sizes)), _share(together, _pairs(row_sizes))),
        bcubed=Score(
            float((common**2 / of_column).sum() / len(true)),
            float((common**2 / of_row).sum() / len(true)),
        ),
        nmi=_nmi(common, of_row, of_column, _entropy(row_sizes), _entropy(column_sizes)),
    )


def compare_all(true: I64, predicted: I64) -> Agreement:
    """Count how well a grouping that leaves items out agrees: an item without a group is wrong.

    It is together with nothing: so it lowers the recall of pairs and of B-cubed, and in the mutual
    information it is a group of its own. Precision is that of the items with a group.

    Args:
        true: (n,) group of each item; the numbers mean nothing else.
        predicted: (n,) likewise; -1 = no group.

    Raises:
        ValueError: There is no item, or the lengths differ.
    """
    is_alone = predicted < 0
    alone = int(is_alone.sum())
    numbers = predicted.copy()
    numbers[is_alone] = predicted.max(initial=-1) + 1 + np.arange(alone)
    scores, n = compare(true, numbers), len(true)
    groups, sizes = _groups(true)
    # By itself an item would be right as far as it goes.
    precise = scores.bcubed.precision * n - alone
    recalled = scores.bcubed.recall * n - float((1 / sizes[groups[is_alone]]).sum())
    return replace(
        scores,
        found_groups=scores.found_groups - alone,
        bcubed=Score(_share(precise, n - alone), max(recalled / n, 0.0)),
    )


def _groups(labels: I64) -> tuple[I64, F64]:
    """Dense number of each item's group, and the sizes of the groups."""
    _, dense, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    return dense.astype(np.int64), sizes.astype(np.float64)


def _pairs(sizes: F64) -> float:
    return float((sizes * (sizes - 1)).sum() / 2)


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 1.0


def _entropy(sizes: F64) -> float:
    """Return the entropy in nats."""
    shares = sizes / sizes.sum()
    return float(-(shares * np.log(shares)).sum())


def _nmi(common: F64, of_row: F64, of_column: F64, rows: float, columns: float) -> float:
    """Normalised mutual information from the cells, their margins and the two entropies."""
    if not rows or not columns:  # one group tells nothing; two such groupings are the same
        return float(rows == columns)
    n = common.sum()
    mutual = float((common / n * np.log(n * common / (of_row * of_column))).sum())
    return min(max(mutual / float(np.sqrt(rows * columns)), 0.0), 1.0)
