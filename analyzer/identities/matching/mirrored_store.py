"""Match or add, free of races: worked out on a copy, written only if the store did not go on.

Two processes that meet a new person at once would both add them if each looked first and wrote
later. So what was worked out at a version of the store is written only while it has that version;
otherwise what changed is fetched and compared too, and it is tried again. Somebody else's write is
why one's own waits, so the whole always gets on.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping

import numpy as np

from analyzer.errors import UsageError
from analyzer.identities import Records
from analyzer.identities.log.events import Event
from analyzer.identities.log.people import People
from analyzer.identities.matching.means import group, grow, stored, unit
from analyzer.identities.matching.mirror import Mirror, Nearest
from analyzer.identities.records import (
    FACTS,
    CallRecord,
    Counters,
    Matches,
    MediumRecord,
    OtherCall,
    Settings,
    StoreChange,
    StoredAppearance,
    StoredIdentity,
    damage_named,
    least_cosine,
)
from analyzer.types import F32, I64
from analyzer.types.arrays import check

_PAGE, _LOADED = 1024, 4096
"""Rows at once."""
_PORTRAITS = 4
"""Of an identity: those of its first media are kept."""
_UNNAMED = MediumRecord(path="", person_ids=(), milliseconds=())


class MirroredStore:
    """An open identity store; see `analyzer.identities.IdentityStore`.

    Args:
        records: Where its rows are kept; those of an encrypted store in the clear.
        name: Its address as people may read it.
        requested: How it is to match; `None` takes the store as it is.
        on_wait: Called now and then by a call that has to wait.
    """

    def __init__(
        self,
        records: Records,
        name: str,
        requested: Settings | None,
        on_wait: Callable[[], object],
    ) -> None:
        self.name = name
        self.records = records
        self._mirror = Mirror()
        self._people = People()
        self._on_wait = on_wait
        try:
            self.settings = self._readable(requested)
            if requested not in (None, self.settings):
                raise UsageError(
                    f"{name} was made with {self.settings}, not {requested}: "
                    "set the same, or give another store"
                )
        except BaseException:
            records.close()
            raise

    def _readable(self, requested: Settings | None) -> Settings:
        """Return the settings of a store that can be read.

        Raises:
            UsageError: It is encrypted.
        """
        settings = self.records.settings(requested)
        if settings.cipher:
            raise UsageError(
                f"{self.name} is encrypted: give --identity_key with the file of its key"
            )
        return settings

    def close(self) -> None:
        """Give connections back."""
        self.records.close()

    def people(self) -> People:
        """Return who is who now."""
        self._follow()
        return self._people

    @property
    def version(self) -> int:
        """Version that was followed last."""
        return self._mirror.version

    @property
    def size(self) -> int:
        """Ids given up to that version."""
        return self._mirror.size

    @property
    def least(self) -> float:
        """Cosine above which two embeddings are one person."""
        set_later = self._people.threshold
        return self.settings.least if set_later is None else least_cosine(set_later)

    def match(self, embeddings: F32) -> Matches:
        """Look people up; see `analyzer.identities.IdentityStore`."""
        queries = unit(embeddings)
        self._follow()
        nearest = self._search(queries)
        ids = np.where(nearest.cosines > self.least, nearest.ids, -1)
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
        medium: MediumRecord | None = None,
    ) -> I64:
        """Know people again, and add the new; see `analyzer.identities.IdentityStore`."""
        queries = unit(embeddings)
        faces_detected = _check_counts(counts, len(queries), detected)
        appearances = _appearances(queries, counts, medium)
        pictures: dict[int, bytes] = {}
        self._follow()
        nearest = self._search(queries)
        while True:
            ids = self._identify(queries, nearest, distinct=distinct)
            self._cut(ids, medium or _UNNAMED, pictures)
            change = self._plan(appearances, ids, key, faces_detected, medium or _UNNAMED, pictures)
            record = self.records.write(change)
            if record is not None:
                break
            self.on_wait()
            moved = self._follow()
            if moved is None:
                nearest = self._search(queries)
            else:
                self._mirror.check(queries.shape[1])
                nearest = self._mirror.refresh(queries, nearest, moved)
        with damage_named(self.name):
            answer = CallRecord.unpack(record).ids
        if len(answer) != len(queries):
            raise OtherCall(f"key {key!r} is that of a call with {len(answer)} embeddings")
        return np.array(answer, np.int64)

    def on_wait(self) -> None:
        """Tell those who opened the store that a call goes on."""
        self._on_wait()

    def _search(self, queries: F32) -> Nearest:
        self._mirror.check(queries.shape[1])
        return self._mirror.search(queries)

    def _follow(self) -> I64 | None:
        """Bring the copy up to date; returns the ids that changed, `None` for all."""
        moved: list[I64] = []
        is_anew = False
        while True:
            last_event, since = len(self._people.events), self._mirror.version
            changes = self.records.changes(since, last_event)
            if changes.anew:
                self._mirror.clear()
                self._people, last_event, since, is_anew = People(), 0, 0, True
            try:
                with damage_named(self.name):
                    self._mirror.apply(changes)
                    entries = enumerate(changes.entries, last_event + 1)
                    self._people.follow([Event.unpack(*entry) for entry in entries])
            except UsageError:
                # Others may have encrypted it meanwhile.
                self._readable(None)
                raise
            moved.append(changes.ids)
            if changes.version < changes.newest and not since:
                self._load(changes.newest)
                is_anew = True
            elif changes.version == changes.newest:
                return None if is_anew else np.unique(np.concatenate(moved))
            self.on_wait()

    def _load(self, version: int) -> None:
        """Read all rows by number, as they lie in a file; in the order of changes takes longer.

        Args:
            version: That of the store before. What changes meanwhile is read again.
        """
        size = self.records.size()
        for first in range(0, size, _LOADED):
            ids_rows = self.records.rows(first, min(first + _LOADED, size))
            with damage_named(self.name):
                ids = np.array([identity for identity, _ in ids_rows], np.int64)
                self._mirror.put(ids, [row for _, row in ids_rows])
            self.on_wait()
        self._mirror.make_room(size)
        self._mirror.version = version

    def _identify(self, queries: F32, nearest: Nearest, *, distinct: bool) -> I64:
        """Return the identity (n,) of each embedding (n, D)."""
        if distinct:
            nearest = self._pair(queries, nearest)
        ids = nearest.ids.copy()
        new = nearest.cosines <= self.least
        others = (
            np.arange(new.sum())
            if distinct
            else group(queries[new], self.least, self.settings.refine)
        )
        ids[new] = self._mirror.size + others
        return ids

    def _pair(self, queries: F32, nearest: Nearest) -> Nearest:
        """Give each person to one embedding at most, the nearest pair first."""
        ids, cosines = nearest.ids.copy(), nearest.cosines.copy()
        taken: list[int] = []
        queue = [(-cosine, row) for row, cosine in enumerate(cosines.tolist())]
        heapq.heapify(queue)
        while queue and -queue[0][0] > self.least:
            _, row = heapq.heappop(queue)
            identity = int(ids[row])
            if identity not in taken:
                taken += self._people.members(self._people.person(identity))
                continue
            single = slice(row, row + 1)
            again = self._mirror.search(queries[single], but=np.array(taken))
            ids[single], cosines[single] = again.ids, again.cosines
            heapq.heappush(queue, (-float(cosines[row]), row))
        return Nearest(ids, cosines)

    def _cut(self, ids: I64, medium: MediumRecord, pictures: dict[int, bytes]) -> None:
        """Add the portraits (rows of the call) of identities (n,) that have few."""
        if not len(ids) or self._mirror.dimensions is None:
            facts = np.zeros((len(ids), len(FACTS)), np.int64)
        else:
            _, facts = self._mirror.rows(ids, self._mirror.dimensions)
        few = np.flatnonzero(facts[:, FACTS.index("media")] < _PORTRAITS).tolist()
        lacking = [row for row in few if row not in pictures]
        if lacking:
            pictures.update(dict.fromkeys(lacking, b""))
            pictures.update(medium.portraits(lacking))

    def _plan(
        self,
        appearances: tuple[StoredAppearance, ...],
        ids: I64,
        key: str,
        detected: int,
        medium: MediumRecord,
        pictures: Mapping[int, bytes],
    ) -> StoreChange:
        """Work out what it changes that appearances (n,) are those of identities (n,)."""
        counted, which = np.unique(ids, return_inverse=True)
        rows: tuple[tuple[int, bytes], ...] = ()
        if appearances:
            centroids, facts = self._mirror.rows(counted, len(appearances[0].embedding))
            centroids, facts = grow(
                centroids, facts, appearances, which, day=medium.day, refine=self.settings.refine
            )
            identities = map(stored, counted.tolist(), centroids, facts)
            rows = tuple((identity.id, identity.pack()) for identity in identities)
        faces = sum(appearance.faces for appearance in appearances)
        return StoreChange(
            version=self._mirror.version,
            events=len(self._people.events),
            rows=rows,
            counters={
                "identities": int((counted >= self._mirror.size).sum()),
                "detected": detected,
                "embedded": faces,
                "saved": faces,
            },
            key=key,
            record=CallRecord(ids=tuple(ids.tolist()), path=medium.path, day=medium.day).pack(),
            appearances=tuple(
                (identity, appearance.pack(), pictures.get(row, b""))
                for row, (identity, appearance) in enumerate(
                    zip(ids.tolist(), appearances, strict=True)
                )
            ),
        )

    def get(self, identity: int) -> StoredIdentity | None:
        """Return one identity; see `analyzer.identities.IdentityStore`."""
        return next(iter(self._rows(identity, identity + 1)), None)

    def facts(self) -> I64:
        """Return the facts of all identities; see `analyzer.identities.IdentityStore`."""
        return self._mirror.facts()

    def cosines(self, identity: int) -> F32:
        """Return cosines with all; see `analyzer.identities.IdentityStore`."""
        return self._mirror.cosines(identity)

    def near(self, ids: I64, least: float) -> tuple[I64, I64, F32]:
        """Return pairs that are alike; see `analyzer.identities.IdentityStore`."""
        return self._mirror.near(ids, least)

    def all(self) -> Iterator[StoredIdentity]:
        """Yield every identity; see `analyzer.identities.IdentityStore`."""
        size = self.records.size()
        for first in range(0, size, _PAGE):
            yield from self._rows(first, min(first + _PAGE, size))

    def _rows(self, first: int, end: int) -> list[StoredIdentity]:
        rows = self.records.rows(first, end)
        with damage_named(self.name):
            return [StoredIdentity.unpack(*row) for row in rows]

    def counters(self) -> Counters:
        """Return what was counted."""
        return self.records.counters()


def _appearances(
    queries: F32, counts: I64, medium: MediumRecord | None
) -> tuple[StoredAppearance, ...]:
    """Return the appearances that a call is about; their places are given when it is written."""
    n = len(queries)
    given = medium or MediumRecord(path="", person_ids=tuple(range(n)), milliseconds=(0,) * n)
    return tuple(
        StoredAppearance(
            call=0,
            row=row,
            embedding=embedding,
            person_id=person_id,
            faces=faces,
            milliseconds=milliseconds,
        )
        for row, (embedding, person_id, faces, milliseconds) in enumerate(
            zip(queries, given.person_ids, counts.tolist(), given.milliseconds, strict=True)
        )
    )


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
