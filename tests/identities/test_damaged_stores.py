"""Stores that hold what none of ours does: named and refused, by every way of looking into them."""

import sqlite3
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from analyzer.errors import UsageError
from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.records import Settings
from tests.support.redis_server import RedisServer

SETTINGS = Settings(model="test", threshold=0.6)
PEOPLE = np.eye(4, dtype=np.float32)
NAN, HALF = float("nan"), 0.5
FACTS = struct.pack("<6q", 1, 1, 1, 0, 0, 0)
ROWS = {
    "nan": struct.pack("<4f", NAN, 0, 0, 1),
    "infinite": struct.pack("<4f", float("inf"), 0, 0, 1),
    "too long": struct.pack("<4f", 3e38, 0, 0, 1),
    "length 0": struct.pack("<4f", 0, 0, 0, 0),
    "another length": struct.pack("<4f", HALF, HALF, 0, 0),
    "another dimension": struct.pack("<3f", 1, 0, 0),
    "half a number": struct.pack("<4f", 1, 0, 0, 0)[:-1],
}
"""Centroids that no store of ours has."""


def fill(url: str) -> None:
    store = open_store(url, settings=SETTINGS, wait_s=5)
    store.match_or_add(PEOPLE, np.ones(4, np.int64), key="first")
    store.close()


def look_into(url: str, look: Callable[[IdentityStore], object]) -> None:
    store = open_store(url, settings=SETTINGS, wait_s=5)
    try:
        look(store)
    finally:
        store.close()


def looks() -> Iterator[Callable[[IdentityStore], object]]:
    """Yield ways to look into a store."""
    yield lambda store: store.match(PEOPLE)
    yield lambda store: store.match_or_add(PEOPLE, np.ones(4, np.int64), key="second")
    yield lambda store: list(store.all())


def require_refused(url: str, named: str) -> None:
    for look in looks():
        started = time.monotonic()
        with pytest.raises(UsageError, match=named):
            look_into(url, look)
        assert time.monotonic() - started < 5


@pytest.mark.parametrize("row", ROWS)
def test_a_file_with_a_vector_that_is_none(row: str, tmp_path: Path) -> None:
    path = tmp_path / "known.identities"
    fill(str(path))
    with sqlite3.connect(path) as db:
        db.execute("UPDATE identity SET row = ? WHERE id = 2", (FACTS + ROWS[row],))
    db.close()
    if row == "another dimension":  # a single row is read without the others
        with pytest.raises(UsageError, match="dimensions"):
            look_into(str(path), lambda store: store.match(PEOPLE))
        return
    require_refused(str(path), "known.identities")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE identity SET id = 4611686018427387904 WHERE id = 2",
        "UPDATE identity SET id = -1 WHERE id = 2",
        "UPDATE meta SET value = '{\"model\": 1}' WHERE name = 'settings'",
        "UPDATE meta SET value = '" + "[" * 100_000 + "' WHERE name = 'settings'",
        "UPDATE meta SET value = x'ff' WHERE name = 'settings'",
    ],
    ids=["far", "below 0", "other settings", "deep settings", "no text"],
)
def test_a_file_with_numbers_that_are_none(change: str, tmp_path: Path) -> None:
    path = tmp_path / "known.identities"
    fill(str(path))
    with sqlite3.connect(path) as db:
        db.execute(change)
    db.close()
    require_refused(str(path), "known.identities")


@pytest.mark.parametrize("row", [*ROWS, "short"])
def test_a_server_with_a_vector_that_is_none(row: str, redis_server: RedisServer) -> None:
    prefix = row.replace(" ", "_")
    fill(redis_server.url(prefix))
    packed = FACTS + ROWS[row] if row in ROWS else b"abc"
    redis_server.client().hset(f"{prefix}:rows", "2", packed)
    if row == "another dimension":
        with pytest.raises(UsageError, match="dimensions"):
            look_into(redis_server.url(prefix), lambda store: store.match(PEOPLE))
        return
    require_refused(redis_server.url(prefix), "Redis")


def test_a_server_with_a_number_that_makes_room_for_all_before_it(
    redis_server: RedisServer,
) -> None:
    fill(redis_server.url("far"))
    client = redis_server.client()
    client.hset("far:rows", "100000000", FACTS + struct.pack("<4f", 1, 0, 0, 0))
    client.zadd("far:changed", {"100000000": 5})
    client.hset("far:meta", "version", 5)
    store = open_store(redis_server.url("far"), settings=SETTINGS, wait_s=5)
    with pytest.raises(UsageError, match="identity 100000000 of 5"):
        store.match(PEOPLE)
    store.close()
    client.close()
