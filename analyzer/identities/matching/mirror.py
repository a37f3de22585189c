"""A copy of all centroids in memory, which follows the store by its version; and the search in it.

The search is a matrix product in blocks: exact, and bound by the speed of memory. A look-up among
1,000,000 centroids of 128 dimensions reads 512 MB.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from analyzer.errors import UsageError
from analyzer.identities.records import FACTS, StoreChanges, unpack_rows
from analyzer.types import F32, I64

_Block = TypeVar("_Block", F32, I64)
_BLOCK = 65_536
"""Rows: few enough to grow without copying, and enough for threads to share."""
_QUERIES = 64
"""At once: scores of a block take 16 MB."""


@dataclass(frozen=True)
class Nearest:
    """The most similar identity of each of n queries."""

    ids: I64
    """(n,) -1 = none that is similar at all."""
    cosines: F32
    """(n,) 0 where there is none."""


class Mirror:
    """All centroids, a row an identity; rows of those that are not there are zeros."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.version = 0
        self.size = 0
        """Ids given so far: the next one."""
        self.dimensions: int | None = None
        self._centroids: list[F32] = []
        self._facts: list[I64] = []

    def apply(self, changes: StoreChanges) -> None:
        """Follow the store.

        Raises:
            ValueError: Rows are none.
        """
        self.version = changes.version
        self.put(changes.ids, changes.rows)

    def put(self, ids: I64, rows: Sequence[bytes]) -> None:
        """Take the rows of ids (k,) in; they are empty where an identity is not there.

        Raises:
            ValueError: They are no rows of identities.
        """
        if not len(ids):
            return
        alive = np.fromiter(map(bool, rows), bool, len(rows))
        facts, centroids = unpack_rows([row for row in rows if row])
        if self.dimensions is None and alive.any():
            self.dimensions = centroids.shape[1]
        self.make_room(int(ids.max()) + 1)
        if self.dimensions is None:
            return
        if alive.any() and centroids.shape[1] != self.dimensions:
            raise ValueError("identities of different dimensions")
        for block, _, at in _by_block(ids[~alive]):
            self._centroids[block][at] = 0
            self._facts[block][at] = 0
        for block, here, at in _by_block(ids[alive]):
            self._centroids[block][at] = centroids[here]
            self._facts[block][at] = facts[here]

    def make_room(self, size: int) -> None:
        """Have a row for each of so many ids."""
        self.size = max(self.size, size)
        while self.dimensions is not None and len(self._centroids) * _BLOCK < self.size:
            self._centroids.append(np.zeros((_BLOCK, self.dimensions), np.float32))
            self._facts.append(np.zeros((_BLOCK, len(FACTS)), np.int64))

    def check(self, dimensions: int) -> None:
        """Raise `UsageError` where embeddings of so many dimensions cannot be compared."""
        if self.dimensions not in (None, dimensions):
            raise UsageError(
                f"embeddings have {dimensions} dimensions, those in the store {self.dimensions}: "
                "take the describer that it was made with, or another store"
            )

    def rows(self, ids: I64, dimensions: int) -> tuple[F32, I64]:
        """Return centroids (k, D) of ids (k,), and their facts (k, 6); of new ones zero."""
        centroids = np.zeros((len(ids), dimensions), np.float32)
        facts = np.zeros((len(ids), len(FACTS)), np.int64)
        in_mirror = np.flatnonzero(ids < self.size) if self._facts else np.empty(0, np.int64)
        for block, here, at in _by_block(ids[in_mirror]):
            centroids[in_mirror[here]] = self._centroids[block][at]
            facts[in_mirror[here]] = self._facts[block][at]
        return centroids, facts

    def facts(self) -> I64:
        """Return the facts of all (size, 6); of identities that are not there zero."""
        if not self._facts:
            return np.zeros((self.size, len(FACTS)), np.int64)
        return np.concatenate(self._filled(self._facts))

    def cosines(self, identity: int) -> F32:
        """Return cosines (size,) of an identity's mean with all; 0 with those not there."""
        if self.dimensions is None:
            return np.zeros(self.size, np.float32)
        centroid, _ = self.rows(np.array([identity]), self.dimensions)
        return np.concatenate([block @ centroid[0] for block in self._filled(self._centroids)])

    def _filled(self, blocks: list[_Block]) -> list[_Block]:
        """Return the rows of blocks that are those of ids given so far."""
        return [block[: self.size - n * _BLOCK] for n, block in enumerate(blocks)]

    def search(self, queries: F32, *, but: I64 | None = None) -> Nearest:
        """Compare queries (n, D) of length one with all, or with all but ids (k,)."""
        left_out = np.empty(0, np.int64) if but is None else but
        nearest = Nearest(np.full(len(queries), -1), np.zeros(len(queries), np.float32))
        for start in range(0, len(queries), _QUERIES):
            part = slice(start, start + _QUERIES)
            for number, block in enumerate(self._centroids):
                first = number * _BLOCK
                ids = np.arange(first, min(first + _BLOCK, self.size))
                cosines = queries[part] @ block[: len(ids)].T
                cosines[
                    :, left_out[(left_out >= first) & (left_out < first + len(ids))] - first
                ] = 0
                _improve(nearest, part, cosines, ids)
        return nearest

    def near(self, ids: I64, least: float) -> tuple[I64, I64, F32]:
        """Return all pairs of ids (n,) with others where the cosine is above `least`.

        Returns:
            (k,) of `ids`, (k,) the other's, and (k,) the cosine of each pair.
        """
        pairs = [(ids[:0], ids[:0], np.empty(0, np.float32))]
        for start in range(0, len(ids) if self.dimensions is not None else 0, _QUERIES):
            part = ids[start : start + _QUERIES]
            centroids, _ = self.rows(part, self.dimensions or 0)
            for number, block in enumerate(self._centroids):
                cosines = centroids @ block.T
                rows, columns = np.nonzero(cosines > least)
                others = columns + number * _BLOCK
                is_other = part[rows] != others
                rows, columns, others = rows[is_other], columns[is_other], others[is_other]
                pairs.append((part[rows], others, cosines[rows, columns]))
        firsts, seconds, cosines_of_pairs = zip(*pairs, strict=True)
        return np.concatenate(firsts), np.concatenate(seconds), np.concatenate(cosines_of_pairs)

    def refresh(self, queries: F32, before: Nearest, moved: I64) -> Nearest:
        """Search again after the centroids `moved` (k,) changed; few do, so it is quick."""
        lost = np.isin(before.ids, moved)
        nearest = Nearest(before.ids.copy(), before.cosines.copy())
        centroids, _ = self.rows(moved, queries.shape[1])
        _improve(nearest, slice(None), queries @ centroids.T, moved)
        # Where the nearest itself moved, it is not known which one was second.
        anew = self.search(queries[lost])
        nearest.ids[lost], nearest.cosines[lost] = anew.ids, anew.cosines
        return nearest


def _improve(nearest: Nearest, part: slice, cosines: F32, ids: I64) -> None:
    """Take the best of cosines (n, k) to ids (k,) where it is better than the best so far."""
    if not cosines.size:
        return
    best = cosines.argmax(axis=1)
    best_cosines = cosines[np.arange(len(best)), best]
    better = best_cosines > nearest.cosines[part]
    nearest.ids[part][better] = ids[best[better]]
    nearest.cosines[part][better] = best_cosines[better]


def _by_block(ids: I64) -> list[tuple[int, I64, I64]]:
    """For each block: its number, which of ids (k,) are in it, and at which of its rows."""
    blocks = ids // _BLOCK
    blocks_rows = [(int(b), np.flatnonzero(blocks == b)) for b in np.unique(blocks)]
    return [(block, here, ids[here] - block * _BLOCK) for block, here in blocks_rows]
