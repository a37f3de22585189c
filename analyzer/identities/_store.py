"""Match or add, free of races: worked out on a copy, written only if the store did not go on.

Two processes that meet a new person at once would both add them if each looked first and wrote
later. So what was worked out at a version of the store is written only while it has that version;
otherwise what changed is fetched and compared too, and it is tried again. Somebody else's write is
why one's own waits, so the whole always gets on.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from analyzer.errors import UsageError
from analyzer.identities import Records
from analyzer.identities._mirror import Mirror, Nearest
from analyzer.identities.records import (
    Commit,
    Counters,
    Matches,
    OtherCall,
    Settings,
    StoredIdentity,
)
from analyzer.types import F32, I64
from analyzer.types.arrays import check

_PAGE = 1024


class MirroredStore:
    """An open identity store; see `analyzer.identities.IdentityStore`."""

    def __init__(
        self,
        records: Records,
        name: str,
        requested: Settings | None,
        on_wait: Callable[[], object],
    ) -> None:
        self.name = name
        self._records = records
        self._on_wait = on_wait
        self._mirror = Mirror()
        try:
            self.settings = records.settings(requested)
            if requested not in (None, self.settings):
                raise UsageError(
                    f"{name} was made with {self.settings}, not {requested}: "
                    "set the same, or give another store"
                )
        except BaseException:
            records.close()
            raise

    def close(self) -> None:
        """Give connections back."""
        self._records.close()

    def match(self, embeddings: F32) -> Matches:
        """Look people up; see `analyzer.identities.IdentityStore`."""
        queries = _unit(embeddings)
        self._follow()
        self._mirror.check(queries.shape[1])
        nearest = self._mirror.search(queries)
        ids = np.where(nearest.cosines > self.settings.least, nearest.ids, -1)
        distances = np.sqrt(np.maximum(2 - 2 * nearest.cosines, 0))
        return Matches(ids=ids, distances=np.where(nearest.ids < 0, np.float32("inf"), distances))

    def match_or_add(
        self,
        embeddings: F32,
        counts: I64,
        *,
        key: str,
        detected: int | None = None,
        distinct: bool = False,
    ) -> I64:
        """Know people again, and add the new; see `analyzer.identities.IdentityStore`."""
        queries = _unit(embeddings)
        faces = _check_counts(counts, len(queries), detected)
        self._follow()
        nearest = self._search(queries)
        while True:
            ids = self._identify(queries, nearest, distinct=distinct)
            commit = self._plan(queries, counts, ids, key, faces)
            answer = self._records.commit(commit)
            if answer is not None:
                break
            self._on_wait()
            moved = self._follow()
            if moved is None:
                nearest = self._search(queries)
            else:
                self._mirror.check(queries.shape[1])
                nearest = self._mirror.refresh(queries, nearest, moved)
        if len(answer) != len(queries):
            raise OtherCall(f"key {key!r} is that of a call with {len(answer)} embeddings")
        return answer

    def _search(self, queries: F32) -> Nearest:
        self._mirror.check(queries.shape[1])
        return self._mirror.search(queries)

    def _follow(self) -> I64 | None:
        """Bring the copy up to date; returns the ids that changed, `None` for all."""
        moved: list[I64] = []
        is_anew = False
        while True:
            changes = self._records.changes(self._mirror.version)
            if changes.anew:
                self._mirror.clear()
                is_anew = True
            self._mirror.apply(changes)
            moved.append(changes.ids)
            if changes.version == changes.newest:
                return None if is_anew else np.unique(np.concatenate(moved))
            self._on_wait()

    def _identify(self, queries: F32, nearest: Nearest, *, distinct: bool) -> I64:
        """Return the identity (n,) of each embedding (n, D)."""
        if distinct:
            nearest = self._pair(queries, nearest)
        ids = nearest.ids.copy()
        new = nearest.cosines <= self.settings.least
        others = np.arange(new.sum()) if distinct else _group(queries[new], self.settings)
        ids[new] = self._mirror.size + others
        return ids

    def _pair(self, queries: F32, nearest: Nearest) -> Nearest:
        """Give each identity to one embedding at most, the nearest pair first."""
        ids, cosines = nearest.ids.copy(), nearest.cosines.copy()
        taken: list[int] = []
        queue = [(-cosine, row) for row, cosine in enumerate(cosines.tolist())]
        heapq.heapify(queue)
        while queue and -queue[0][0] > self.settings.least:
            _, row = heapq.heappop(queue)
            if ids[row] not in taken:
                taken.append(int(ids[row]))
                continue
            single = slice(row, row + 1)
            again = self._mirror.search(queries[single], but=np.array(taken))
            ids[single], cosines[single] = again.ids, again.cosines
            heapq.heappush(queue, (-float(cosines[row]), row))
        return Nearest(ids, cosines)

    def _plan(self, queries: F32, counts: I64, ids: I64, key: str, detected: int) -> Commit:
        """Work out what it changes that embeddings (n, D) are those of identities (n,)."""
        counted, which = np.unique(ids, return_inverse=True)
        faces = np.zeros(len(counted), np.int64)
        np.add.at(faces, which, counts)
        centroids, updates = self._mirror.rows(counted, queries.shape[1])
        taken = _rank(which) < (self.settings.refine - updates)[which]
        moved = np.unique(which[taken])
        sums = centroids * updates[:, None].astype(np.float32)
        np.add.at(sums, which[taken], queries[taken])
        np.add.at(updates, which[taken], 1)
        return Commit(
            version=self._mirror.version,
            key=key,
            ids=ids,
            moved=counted[moved],
            centroids=_unit(sums[moved]),
            updates=updates[moved],
            counted=counted,
            faces=faces,
            detected=detected,
        )

    def get(self, identity: int) -> StoredIdentity | None:
        """Return one identity; see `analyzer.identities.IdentityStore`."""
        return next(iter(self._records.rows(identity, identity + 1)), None)

    def all(self) -> Iterator[StoredIdentity]:
        """Yield every identity; see `analyzer.identities.IdentityStore`."""
        for first in range(0, self._records.size(), _PAGE):
            yield from self._records.rows(first, first + _PAGE)

    def forget(self, ids: Iterable[int]) -> None:
        """Erase identities; see `analyzer.identities.IdentityStore`."""
        self._records.forget(np.unique(np.fromiter(ids, np.int64)))

    def counters(self) -> Counters:
        """Return what was counted."""
        return self._records.counters()


def _unit(vectors: F32) -> F32:
    """Return vectors (n, D) of length one.

    Raises:
        ValueError: One is not finite, or of length 0.
    """
    check("embeddings", "array", vectors, np.float32, (len(vectors), None))
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not (np.isfinite(lengths).all() and lengths.all()):
        raise ValueError("an embedding is not finite, or of length 0")
    return vectors / lengths


def _check_counts(counts: I64, n: int, detected: int | None) -> int:
    """Return how many faces were detected.

    Raises:
        ValueError: A count is negative, or fewer faces were detected than have embeddings.
    """
    check("counts", "array", counts, np.int64, (n,))
    embedded = int(counts.sum())
    if (counts < 0).any() or (detected is not None and detected < embedded):
        raise ValueError(f"{counts.min(initial=0)} faces, or {embedded} of {detected} detected")
    return embedded if detected is None else detected


def _group(vectors: F32, settings: Settings) -> I64:
    """Group new faces (n, D) among themselves, each with the nearest before it; labels (n,)."""
    centres, sizes = np.zeros_like(vectors), np.zeros(len(vectors), np.int64)
    labels = np.empty(len(vectors), np.int64)
    counted = 0
    for number, vector in enumerate(vectors):
        cosines = centres[:counted] @ vector
        label = int(cosines.argmax()) if counted else 0
        if not counted or cosines[label] <= settings.least:
            label, counted = counted, counted + 1
        labels[number] = label
        if sizes[label] < settings.refine:
            centre = centres[label] * np.float32(sizes[label]) + vector
            centres[label] = centre / np.linalg.norm(centre)
            sizes[label] += 1
    return labels


def _rank(labels: I64) -> I64:
    """Return the number of equal labels before each of labels (n,)."""
    order = np.argsort(labels, kind="stable")
    sorted_labels = labels[order]
    ranks = np.empty(len(labels), np.int64)
    ranks[order] = np.arange(len(labels)) - np.searchsorted(sorted_labels, sorted_labels)
    return ranks
