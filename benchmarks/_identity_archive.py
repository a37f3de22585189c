"""A store of a large archive, written straight into its tables.

To match 10,000,000 appearances with 1,000,000 identities one after the other is 10^15
multiplications: days. So the tables are filled as matching would leave them, by the statements that
the store's own file makes them with; the indices that may be dropped are made at the end.

Appearances have their identity's mean for an embedding, and there are no portraits: neither changes
what is measured. An identity of number n is seen about as often as 1 / sqrt(n) says, the first one
9,000 times in 1,000,000, so that the most frequent ones have much to read. The versions of the
identities are in no order, as after years of use.
"""

import json
import sqlite3
from collections.abc import Iterator, Sequence

import numpy as np

from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.log.events import Action, Merged, Named, event_now
from analyzer.identities.records import FACTS, CallRecord, Settings, StoreChange, StoredAppearance
from analyzer.types import F32, I64

DIMENSIONS = 128
SETTINGS = Settings(model="benchmark", threshold=0.2, refine=1)
APPEARANCES = 10
"""Of an identity, in the mean."""
_OF_A_FILM = 20
_FILMS = 10_000
"""At once."""
_FIRST_DAY = 730_000
_APPEARANCE = np.dtype([("numbers", "<i8", 5), ("embedding", "<f4", DIMENSIONS)])
_IDENTITY = np.dtype([("facts", "<i8", len(FACTS)), ("centroid", "<f4", DIMENSIONS)])


class Archive:
    """Who is in which film, and what the store knows of everybody.

    Args:
        identities: A multiple of 20.
    """

    def __init__(self, identities: int) -> None:
        rng = np.random.default_rng(0)
        self.identities = identities
        again = (identities * rng.random(identities * (APPEARANCES - 1)) ** 2).astype(np.int64)
        everybody = np.concatenate([np.arange(identities), again])
        self.films: I64 = everybody.reshape(-1, _OF_A_FILM)
        """(F, 20) identities."""
        centroids = rng.standard_normal((identities, DIMENSIONS), dtype=np.float32)
        centroids /= np.linalg.norm(centroids, axis=1, keepdims=True)
        self.centroids: F32 = centroids
        self.versions: I64 = rng.permutation(identities) + 1

    def rows(self) -> Iterator[bytes]:
        """Yield the row of each identity."""
        films = len(self.films)
        seen = np.sort(self.films * films + np.arange(films)[:, None], axis=None)
        media = np.bincount(
            seen[np.r_[True, seen[1:] != seen[:-1]]] // films, minlength=self.identities
        )
        faces = np.bincount(self.films.ravel(), minlength=self.identities)
        facts = [np.ones_like(faces), faces, media, 1000 * faces]
        facts += [np.full_like(faces, _FIRST_DAY), np.full_like(faces, _FIRST_DAY + films // 100)]
        for start in range(0, self.identities, _FILMS):
            part = slice(start, start + _FILMS)
            rows = np.empty(len(faces[part]), _IDENTITY)
            rows["facts"] = np.stack(facts, axis=1)[part]
            rows["centroid"] = self.centroids[part]
            yield from _cut(rows)

    def appearances(self, films: slice) -> list[bytes]:
        """Return the records of all appearances in films, in their order."""
        ids = self.films[films].ravel()
        rows = np.empty(len(ids), _APPEARANCE)
        persons = np.arange(len(ids)) % _OF_A_FILM
        rows["numbers"] = np.stack([persons, *np.repeat([[1], [1000], [1], [1]], len(ids), 1)], 1)
        rows["embedding"] = self.centroids[ids]
        return _cut(rows)

    def call(self, film: int) -> bytes:
        """Return the record of the call that a film is."""
        ids = self.films[film].tolist()
        path = f"films/{film // 1000}/{film}.mp4"
        record = {"ids": ids, "path": path, "day": _FIRST_DAY + film // 100}
        return json.dumps(record, separators=(",", ":")).encode()

    def counters(self) -> dict[str, int]:
        """Return the counters that belong to it."""
        faces = self.films.size
        return {
            "identities": self.identities,
            "detected": faces,
            "embedded": faces,
            "saved": faces,
        }

    def check(self) -> None:
        """Require that what is written is what the store would write."""
        packed = self.appearances(slice(0, 1))[1]
        assert StoredAppearance.unpack(0, 0, packed).pack() == packed
        assert CallRecord.unpack(self.call(0)).pack() == self.call(0)


def write_file(path: str, archive: Archive) -> None:
    """Write a store into a new file."""
    archive.check()
    open_store(path, settings=SETTINGS).close()
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("synchronous = OFF", "journal_mode = OFF", "cache_size = -500000"):
        db.execute(f"PRAGMA {pragma}")
    indices = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"
    ).fetchall()
    db.execute("BEGIN")
    for name, _ in indices:
        db.execute(f"DROP INDEX {name}")
    rows = archive.rows()
    versions = archive.versions.tolist()
    ids = iter(range(archive.identities))
    films = len(archive.films)
    for start in range(0, films, _FILMS):
        numbers = range(start, min(start + _FILMS, films))
        # New identities come with the films, and their rows lie among those of appearances.
        share = range(len(numbers) * archive.identities // films)
        db.executemany(
            "INSERT INTO identity VALUES(?, ?, ?)",
            [(identity := next(ids), next(rows), versions[identity]) for _ in share],
        )
        _write_films(db, archive, numbers)
    for name, number in {**archive.counters(), "version": archive.identities}.items():
        db.execute("INSERT INTO meta VALUES(?, ?)", (name, number))
    for _, statement in indices:
        db.execute(statement)
    db.execute("COMMIT")
    db.close()


def _write_films(db: sqlite3.Connection, archive: Archive, films: range) -> None:
    db.executemany(
        "INSERT INTO call VALUES(?, ?, ?)",
        [(film + 1, f"film {film}", archive.call(film)) for film in films],
    )
    part = slice(films.start, films.stop)
    places = [(film + 1, row) for film in films for row in range(_OF_A_FILM)]
    owners = archive.films[part].ravel().tolist()
    records = archive.appearances(part)
    db.executemany(
        "INSERT INTO appearance VALUES(?, ?, ?, ?)",
        [
            (*place, owner, record)
            for place, owner, record in zip(places, owners, records, strict=True)
        ],
    )


def write_server(url: str, archive: Archive) -> None:
    """Write a store into a server, a film a call."""
    archive.check()
    store = open_store(url, settings=SETTINGS)
    rows = list(archive.rows())
    known = 0
    for film, ids in enumerate(archive.films.tolist()):
        new = [identity for identity in ids if identity >= known]
        records = archive.appearances(slice(film, film + 1))
        change = StoreChange(
            version=None,
            events=0,
            rows=tuple((identity, rows[identity]) for identity in new),
            counters={"detected": len(ids), "embedded": len(ids), "saved": len(ids)}
            | {"identities": len(new)},
            key=f"film {film}",
            record=archive.call(film),
            appearances=tuple(
                (identity, record, b"") for identity, record in zip(ids, records, strict=True)
            ),
        )
        _write(store, change)
        known += len(new)
    store.close()


def write_log(url: str, names: int, merges: int) -> None:
    """Give names to the most frequent persons, and merge each with one who is seen less."""
    store = open_store(url, settings=None)
    size = store.records.size()
    merged: Sequence[Action] = [
        Merged(identity=n, other=size // 2 + n, distance=0.5) for n in range(merges)
    ]
    said = [*(Named(identity=n, name=f"Person {n}") for n in range(names)), *merged]
    entries = tuple(
        event_now(action, by="benchmark", number=number).pack()
        for number, action in enumerate(said, 1)
    )
    _write(store, StoreChange(version=None, events=0, entries=entries))
    store.close()


def _write(store: IdentityStore, change: StoreChange) -> None:
    while store.records.write(change) is None:
        # A server writes for nobody who has not read from it since it was started.
        store.records.changes(store.records.size(), 0)


def _cut(table: np.ndarray) -> list[bytes]:
    """Return the rows of a table as bytes."""
    packed, size = table.tobytes(), table.itemsize
    return [packed[at : at + size] for at in range(0, len(packed), size)]
