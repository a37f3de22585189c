"""Identity stores: one contract, run on every kind of store, encrypted or not."""

import dataclasses
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from analyzer.errors import MissingDependency, ResourceError, UsageError
from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.corrections import Corrections
from analyzer.identities.records import Counters, Settings
from tests.support.redis_server import RedisServer

SETTINGS = Settings(model="test", threshold=0.6, refine=5)
Open = Callable[..., IdentityStore]


@pytest.fixture(params=["sqlite", "redis"])
def url(request, tmp_path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/known.identities"
    return request.getfixturevalue("redis_server").url(tmp_path.name)


@pytest.fixture(params=[None, bytes(range(32))], ids=["plain", "encrypted"])
def key(request) -> bytes | None:
    return request.param


@pytest.fixture
def opened(url, key) -> Iterator[Open]:
    stores: list[IdentityStore] = []

    def open_one(settings: Settings | None = SETTINGS) -> IdentityStore:
        stores.append(open_store(url, settings=settings, key=key, wait_s=30))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


def people(n: int, seed: int = 0) -> np.ndarray:
    """Embeddings (n, 32) of people who are far from each other."""
    vectors = np.random.default_rng(seed).normal(size=(n, 32)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def pictures(directions: np.ndarray, seed: int = 1, spread: float = 0.2) -> np.ndarray:
    """An embedding of each of people (n, 32), of another length than one."""
    noise = (
        np.random.default_rng(seed).normal(size=directions.shape)
        * spread
        / np.sqrt(directions.shape[1])
    )
    return (1.4 * (directions + noise)).astype(np.float32)


def ones(n: int) -> np.ndarray:
    return np.ones(n, np.int64)


def add(store: IdentityStore, embeddings: np.ndarray, key: str) -> list[int]:
    return store.match_or_add(embeddings, ones(len(embeddings)), key=key).tolist()


def test_new_people_are_added_and_known_again(opened):
    store, directions = opened(), people(6)
    assert add(store, pictures(directions), "a") == [0, 1, 2, 3, 4, 5]
    assert add(store, pictures(directions[::-1], seed=2), "b") == [5, 4, 3, 2, 1, 0]
    assert add(store, pictures(people(7)[5:], seed=3), "c") == [5, 6]
    assert [person.faces for person in store.all()] == [2, 2, 2, 2, 2, 3, 1]


def test_new_people_of_one_call_are_compared_with_each_other(opened):
    store, owners = opened(), np.array([0, 1, 0, 2, 1, 0])
    assert add(store, pictures(people(3)[owners]), "a") == owners.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_different_people_of_one_call_get_different_identities(opened, seed):
    """The nearest pair first, as a plain search through all pairs has it."""
    store, owners = opened(), np.random.default_rng(seed).integers(0, 4, 12)
    stored = pictures(people(4)[[0, 1, 1, 2, 3]], seed=20, spread=0.45)
    stored /= np.linalg.norm(stored, axis=1, keepdims=True)
    new_pictures = pictures(people(4)[owners], seed=seed, spread=0.3)
    store.match_or_add(stored, ones(5), key="known", distinct=True)
    ids = store.match_or_add(new_pictures, ones(12), key="seen", distinct=True).tolist()
    cosines = new_pictures @ stored.T / np.linalg.norm(new_pictures, axis=1, keepdims=True)
    identity_of_row = {}
    while (cosines > SETTINGS.least).any():
        row, identity = np.unravel_index(cosines.argmax(), cosines.shape)
        identity_of_row[row] = identity
        cosines[row], cosines[:, identity] = -1, -1
    new = iter(range(5, 99))
    assert ids == [
        identity_of_row[row] if row in identity_of_row else next(new) for row in range(12)
    ]
    assert len(identity_of_row) > 2
    assert store.counters().identities == len({*range(5), *ids})


def test_centroid_is_the_mean_of_length_one(opened):
    store, embeddings = opened(), pictures(np.repeat(people(1), 3, axis=0))
    for number, picture in enumerate(embeddings):
        add(store, picture[None], str(number))
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    person = store.get(0)
    np.testing.assert_allclose(np.linalg.norm(person.centroid), 1, atol=1e-6)
    np.testing.assert_allclose(person.centroid @ unit.mean(0), np.linalg.norm(unit.mean(0)), 1e-3)
    assert (person.id, person.updates, person.faces) == (0, 3, 3)


@pytest.mark.parametrize("at_once", [1, 4, 20])
def test_centroid_stays_after_so_many_embeddings(opened, at_once):
    store, embeddings = opened(), pictures(np.repeat(people(1), 20, axis=0))
    for start in range(0, 20, at_once):
        add(store, embeddings[start : start + at_once], str(start))
    unit = embeddings[:5] / np.linalg.norm(embeddings[:5], axis=1, keepdims=True)
    person = store.get(0)
    assert (person.updates, person.faces) == (5, 20)
    mean = unit.mean(0) / np.linalg.norm(unit.mean(0))
    np.testing.assert_allclose(person.centroid @ mean, 1, atol=1e-3)


def test_look_up_changes_nothing(opened):
    store = opened()
    empty = store.match(people(2))
    assert (empty.ids.tolist(), empty.distances.tolist()) == ([-1, -1], [np.inf, np.inf])
    add(store, people(2), "a")
    matches = store.match(np.concatenate([pictures(people(2)[1:]), people(1, seed=9)]))
    assert matches.ids.tolist() == [1, -1]
    assert matches.distances[0] < 0.4 < 0.6 < matches.distances[1]
    assert store.counters().embedded == 2


def test_the_same_call_counts_once(opened):
    first, second = opened(), opened()
    counts = np.array([3, 4])
    ids = first.match_or_add(people(2), counts, key="job 1", detected=9)
    for store in (first, second):
        again = store.match_or_add(people(2), counts, key="job 1", detected=9)
        assert again.tolist() == ids.tolist()
    counters = second.counters()
    assert counters == Counters(detected=9, embedded=7, saved=7, identities=2)


def test_a_key_of_another_call_is_refused(opened):
    store = opened()
    add(store, people(2), "a")
    with pytest.raises(ValueError, match="key 'a' is that of a call with 2 embeddings"):
        add(store, people(3), "a")


def test_a_medium_without_faces_is_counted(opened):
    store = opened()
    none = np.empty((0, 32), np.float32)
    assert store.match_or_add(none, ones(0), key="a", detected=3).tolist() == []
    assert store.match(none).ids.tolist() == []
    assert store.counters() == Counters(detected=3)


def test_forgotten_people_leave_nothing_and_come_as_others(opened):
    store, other = opened(), opened()
    add(store, people(3), "a")
    add(other, people(3), "b")
    Corrections(store, "ada").forget([1, 1, 77])
    Corrections(store, "ada").forget([1])
    assert store.get(1) is None
    assert [person.id for person in other.all()] == [0, 2]
    assert other.match(people(3)).ids.tolist() == [0, -1, 2]
    assert other.counters() == Counters(detected=6, embedded=6, saved=4, forgotten=2, identities=2)
    assert add(other, people(3), "c") == [0, 3, 2]
    assert add(store, people(3), "a") == [0, 1, 2], "the answer of a call stays what it was"


def test_forgotten_vectors_are_not_in_the_file(tmp_path):
    store = open_store(str(tmp_path / "file"), settings=SETTINGS)
    add(store, people(3), "a")
    packed = store.get(1).centroid.tobytes()
    assert packed in (tmp_path / "file").read_bytes()
    Corrections(store, "ada").forget([1])
    store.close()
    assert all(packed not in path.read_bytes() for path in tmp_path.iterdir())


def test_a_store_goes_on_where_it_was(opened):
    add(opened(), people(4), "a")
    again = opened(None)
    assert again.settings == SETTINGS
    assert add(again, pictures(people(5)), "b") == [0, 1, 2, 3, 4]


def test_others_are_followed_over_many_changes(opened):
    first, other = opened(), opened()
    rng = np.random.default_rng(4)
    for turn in range(12):
        owners = rng.integers(0, 20, 9)
        store = (first, other)[turn % 2]
        add(store, pictures(people(20)[owners], seed=turn), str(turn))
    matches = [store.match(people(20)) for store in (first, other, opened())]
    for one_found in matches:
        np.testing.assert_array_equal(one_found.ids, matches[0].ids)
        np.testing.assert_array_equal(one_found.distances, matches[0].distances)


def test_many_identities_come_in_pages(opened, monkeypatch):
    from analyzer.identities.backends import redis, sqlite

    for backend in (redis, sqlite):
        monkeypatch.setattr(backend, "_PAGE", 64)
    store = opened()
    embeddings = np.random.default_rng(0).normal(size=(1500, 128)).astype(np.float32)
    assert add(store, embeddings, "a") == list(range(1500))
    reader = opened()
    assert reader.match(embeddings).ids.tolist() == list(range(1500))
    assert [person.id for person in reader.all()] == list(range(1500))


def test_what_another_did_meanwhile_is_seen(opened):
    """Between look and write another adds the same person, moves one, and forgets one."""
    store, other = opened(), opened()
    add(other, people(4), "before")
    commit = store.records.write

    def slow(planned):
        store.records.write = commit
        add(other, np.concatenate([people(5)[4:], pictures(people(1))]), "meanwhile")
        Corrections(other, "ada").forget([2])
        return commit(planned)

    store.records.write = slow
    assert add(store, people(6), "late") == [0, 1, 5, 3, 4, 6]
    faces = {person.id: person.faces for person in store.all()}
    assert faces == {0: 3, 1: 2, 3: 2, 4: 2, 5: 1, 6: 1}


def test_other_settings_or_embeddings_are_refused(opened):
    add(opened(), people(1), "a")
    for other in ({"model": "other"}, {"threshold": 0.5}, {"refine": 9}):
        with pytest.raises(UsageError, match="set the same, or give another store"):
            opened(dataclasses.replace(SETTINGS, **other))
    with pytest.raises(UsageError, match="16 dimensions, those in the store 32"):
        opened().match(np.ones((1, 16), np.float32))


@pytest.mark.parametrize("broken", [np.nan, np.inf, 0])
def test_embeddings_that_are_none_are_refused(opened, broken):
    embeddings = people(2)
    embeddings[1] = broken
    with pytest.raises(ValueError, match="not finite, or of length 0"):
        add(opened(), embeddings, "a")


def test_counts_that_cannot_be_are_refused(opened):
    with pytest.raises(ValueError, match="-1 faces"):
        opened().match_or_add(people(1), -ones(1), key="a")
    with pytest.raises(ValueError, match="5 of 4 detected"):
        opened().match_or_add(people(1), 5 * ones(1), key="a", detected=4)


@pytest.mark.parametrize(
    ("wrong", "cure"),
    [({"threshold": 0}, "above 0"), ({"threshold": 1.5}, "up to 1.4"), ({"refine": 0}, "1 or")],
)
def test_wrong_settings_are_refused(wrong, cure):
    with pytest.raises(UsageError, match=cure):
        dataclasses.replace(SETTINGS, **wrong)


def test_a_store_that_is_not_there_is_not_made(tmp_path, redis_server):
    for url in (str(tmp_path / "none"), redis_server.url("nobody")):
        with pytest.raises(UsageError, match="no such identity store"):
            open_store(url, settings=None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "cure"),
    [
        ("", "write sqlite:///"),
        ("sqlite://file", "write sqlite:///"),
        ("mysql://host", "there are: a path"),
        ("redis://host?prefix=", "prefix of an identity store is empty"),
        ("redis://:secret@host:port", "write redis://:PASSWORD@HOST:PORT/DB"),
        ("redis://:secret@host?nonesuch=1", "write redis://:PASSWORD@HOST:PORT/DB"),
    ],
)
def test_wrong_addresses_are_refused(url, cure):
    pytest.importorskip("redis")
    with pytest.raises(UsageError, match=cure) as refused:
        open_store(url, settings=SETTINGS, wait_s=0)
    assert "secret" not in str(refused.value)


def test_other_files_are_left_alone(tmp_path):
    import sqlite3

    text, foreign = tmp_path / "text", tmp_path / "foreign"
    text.write_text("not a database at all, but some text that is long enough" * 9)
    with sqlite3.connect(foreign) as db:
        db.execute("CREATE TABLE mine(x)")
    db.close()
    for path in (text, foreign):
        before = path.read_bytes()
        with pytest.raises(UsageError, match="not an identity store"):
            open_store(str(path), settings=SETTINGS)
        assert path.read_bytes() == before


def test_a_locked_file_is_waited_for_and_then_named(tmp_path):
    import sqlite3

    path = tmp_path / "a b.identities"
    store = open_store(str(path), settings=SETTINGS, wait_s=0.1)
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(ResourceError, match="locked"):
        add(store, people(1), "a")
    blocker.close()
    assert add(store, people(1), "a") == [0]
    store.close()


def test_redis_keeps_to_its_prefix(redis_server):
    client = redis_server.client()
    client.set("mine", "1")
    stores = [open_store(redis_server.url(p), settings=SETTINGS) for p in ("one", "two")]
    before = set(client.keys())
    add(stores[0], people(3), "a")
    Corrections(stores[0], "ada").forget([0])
    changed = set(client.keys()) - before
    assert changed
    assert all(key.startswith(b"one:") for key in changed)
    assert stores[1].counters() == Counters()
    assert client.get("mine") == b"1"
    for store in (*stores, client):
        store.close()


def test_redis_with_a_wrong_password_is_a_usage_error(redis_server):
    url = redis_server.url().replace("geheim", "wrong")
    with pytest.raises(UsageError, match="put the password into the address") as refused:
        open_store(url, settings=SETTINGS)
    assert "wrong%2F" not in str(refused.value)


def test_redis_that_is_not_there_is_waited_for_and_then_named():
    pytest.importorskip("redis")
    with pytest.raises(ResourceError, match=r"127\.0\.0\.1:1, prefix 'ina' was away for 0.2 s"):
        open_store("redis://127.0.0.1:1", settings=SETTINGS, wait_s=0.2)


def test_redis_without_its_library_names_the_cure(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "redis", None)
    monkeypatch.delitem(sys.modules, "analyzer.identities.backends.redis", raising=False)
    with pytest.raises(MissingDependency, match=r"pip install 'redis>=\d+'"):
        open_store("redis://127.0.0.1:1", settings=SETTINGS)


def test_redis_that_lost_its_last_changes_is_read_anew(tmp_path):
    server = RedisServer(tmp_path)
    server.start()
    store = open_store(server.url(), settings=SETTINGS)
    add(store, people(4), "a")
    server.kill()
    for file in tmp_path.rglob("*.aof"):
        file.unlink()
    for file in tmp_path.rglob("*.manifest"):
        file.unlink()
    server.start()
    # Another process brings the server to the same version, with other people.
    again = open_store(server.url(), settings=SETTINGS)
    assert add(again, people(4)[::-1], "b") == [0, 1, 2, 3]
    assert add(store, people(4), "c") == [3, 2, 1, 0]
    for opened_store in (store, again):
        opened_store.close()
    server.kill()
