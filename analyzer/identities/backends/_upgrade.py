"""Take stores of the first form over, which kept means and counts, but no appearances."""

import sqlite3
import struct
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from analyzer.identities.matching.means import TAKEN_OVER, taken_over
from analyzer.identities.records import CallRecord

_UPDATES = struct.Struct("<q")
"""Stood before the centroid in a row of Redis."""


def upgrade_sqlite(db: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Rewrite a file of the first form, within a transaction.

    Args:
        db: In a transaction.
        tables: Statements that make the tables of today.
    """
    for name in ("identity", "call"):
        db.execute(f"ALTER TABLE {name} RENAME TO first_{name}")
    for statement in tables:
        db.execute(statement)
    calls = db.execute("SELECT key, ids FROM first_call").fetchall()
    media: Counter[int] = Counter()
    for number, (key, packed) in enumerate(calls, 1):
        db.execute("INSERT INTO call VALUES(?, ?, ?)", (number, key, _call(packed, media)))
    db.execute("INSERT INTO call VALUES(?, '', ?)", (TAKEN_OVER, CallRecord(ids=()).pack()))
    rows = db.execute("SELECT id, centroid, updates, faces, changed FROM first_identity")
    for identity, centroid, updates, faces, changed in rows.fetchall():
        row = b""
        if centroid:
            row, appearance = taken_over(
                identity, _vector(centroid), updates=updates, faces=faces, media=media[identity]
            )
            values = (TAKEN_OVER, identity, identity, appearance)
            db.execute("INSERT INTO appearance VALUES(?, ?, ?, ?)", values)
        db.execute("INSERT INTO identity VALUES(?, ?, ?)", (identity, row, changed))
    for name in ("identity", "call"):
        db.execute(f"DROP TABLE first_{name}")


def upgrade_redis(client: Any, prefix: str) -> None:
    """Rewrite the keys of the first form, if nobody else does; its sign is the hash of faces."""
    key = {
        name: f"{prefix}:{name}"
        for name in ("meta", "rows", "faces", "calls", "records", "appearances", "owners", "of")
    }

    def rewrite(both: Any) -> None:
        if not both.exists(key["faces"]):
            return
        rows, faces, calls = (both.hgetall(key[name]) for name in ("rows", "faces", "calls"))
        both.multi()
        both.delete(key["faces"])
        media: Counter[int] = Counter()
        for number, (call, packed) in enumerate(sorted(calls.items()), 1):
            both.hset(key["calls"], call, number)
            both.hset(key["records"], str(number), _call(packed, media))
        both.hset(key["meta"], "calls", len(calls))
        both.hset(key["records"], str(TAKEN_OVER), CallRecord(ids=()).pack())
        for name, first in rows.items():
            if not first:
                continue
            identity, place = int(name), f"{TAKEN_OVER}:{int(name)}"
            row, appearance = taken_over(
                identity,
                _vector(first[_UPDATES.size :]),
                updates=_UPDATES.unpack_from(first)[0],
                faces=int(faces.get(name, 0)),
                media=media[identity],
            )
            both.hset(key["rows"], name, row)
            both.hset(key["appearances"], place, appearance)
            both.hset(key["owners"], place, identity)
            both.sadd(f"{key['of']}:{identity}", place)

    # Done again where others changed one of these keys meanwhile.
    client.transaction(rewrite, key["meta"], key["faces"], key["calls"])


def _call(packed: bytes, media: Counter[int]) -> bytes:
    """Return the record of a call; its identities are counted."""
    ids = np.frombuffer(packed, "<i8").tolist()
    media.update(set(ids))
    return CallRecord(ids=tuple(ids)).pack()


def _vector(packed: bytes) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.frombuffer(packed, "<f4").astype(np.float32)
