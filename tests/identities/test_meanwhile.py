"""What another process does to a store meanwhile, on every kind of store: nothing breaks."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.records import Counters, Settings

SETTINGS = Settings(model="test", threshold=0.36, refine=5)
Open = Callable[..., IdentityStore]
FACES = np.eye(4, dtype=np.float32)
NEAR = np.array([[0.9, 0.436, 0, 0]], np.float32)
"""0.447 from the first of `FACES`."""


@pytest.fixture
def opened(url) -> Iterator[Open]:
    stores: list[IdentityStore] = []

    def open_one() -> IdentityStore:
        stores.append(open_store(url, settings=SETTINGS, wait_s=30))
        return stores[-1]

    yield open_one
    for store in stores:
        store.close()


def add(store: IdentityStore, embeddings: np.ndarray, key: str, faces: int = 1) -> list[int]:
    counts = np.full(len(embeddings), faces, np.int64)
    return store.match_or_add(embeddings, counts, key=key).tolist()


def before_the_next_write(store: IdentityStore, do: Callable[[], object]) -> None:
    """Let something happen when a store has worked out what to write, and not written it yet."""
    write = store.records.write

    def late(change):
        store.records.write = write
        do()
        return write(change)

    store.records.write = late


def test_a_fresh_store_outlives_people_who_come_and_are_forgotten(opened: Open) -> None:
    fresh, other = opened(), opened()

    def come_and_go() -> None:
        add(other, FACES[:1], "gone", faces=3)
        Corrections(other, "ada").forget([0])

    assert PeopleOfArchive(fresh).most() == []
    before_the_next_write(fresh, come_and_go)
    assert add(fresh, FACES[1:2], "late") == [1]
    assert fresh.match(FACES[:2]).ids.tolist() == [-1, 1]
    for store in (fresh, other, opened()):
        assert [person.id for person in store.all()] == [1]
        assert [person.identity for person in PeopleOfArchive(store).most()] == [1]
        assert store.counters() == Counters(
            detected=4, embedded=4, saved=1, forgotten=3, identities=1
        )


def test_a_store_of_forgotten_people_only_is_one_of_nobody(opened: Open) -> None:
    store = opened()
    add(store, FACES[:2], "gone")
    Corrections(store, "ada").forget([0, 1])
    fresh = opened()
    assert fresh.match(FACES[:1]).ids.tolist() == [-1]
    assert len(PeopleOfArchive(fresh)) == 0
    assert fresh.facts().tolist() == [[0] * 6] * 2
    assert add(fresh, FACES[:1], "again") == [2]


def test_somebody_without_faces_is_forgotten_whole(opened: Open) -> None:
    store, other = opened(), opened()
    add(store, FACES[:1], "none", faces=0)
    add(store, FACES[1:2], "one")
    before = store.counters()
    assert Corrections(store, "ada").forget([0]) is not None
    assert store.get(0) is None
    for each in (store, other):
        assert each.people().forgotten == {0}
        assert each.counters() == Counters(
            detected=before.detected, embedded=1, saved=1, identities=1
        )
    assert add(other, FACES[:1], "again", faces=0) == [2]


def test_a_threshold_holds_in_all_open_stores_at_once_and_is_undone_as_one(opened: Open) -> None:
    editor, worker = opened(), opened()
    add(worker, FACES[:1], "a")
    assert worker.match(NEAR).ids.tolist() == [-1]
    Corrections(editor, "ada").set_threshold(0.5)
    assert worker.match(NEAR).ids.tolist() == [0]
    assert opened().match(NEAR).ids.tolist() == [0]
    assert add(worker, NEAR, "b") == [0]
    event = Corrections(worker, "grace").undo(1)
    assert (event.number, editor.people().threshold) == (2, None)
    assert add(editor, FACES[1:2], "c") == [1]
    far = np.array([[0, 0.9, 0, 0.436]], np.float32)
    assert opened().match(far).ids.tolist() == [-1]
    assert editor.settings == SETTINGS, "with them the store can still be opened"


@pytest.mark.parametrize("distinct", [False, True])
def test_nobody_is_written_who_was_matched_with_an_older_threshold(
    opened: Open, distinct: bool
) -> None:
    editor, worker = opened(), opened()
    add(worker, FACES[:1], "a")
    before_the_next_write(worker, lambda: Corrections(editor, "ada").set_threshold(0.5))
    one = np.ones(1, np.int64)
    ids = worker.match_or_add(NEAR, one, key="b", distinct=distinct).tolist()
    assert ids == [0]
    before_the_next_write(worker, lambda: Corrections(editor, "ada").set_threshold(0.01))
    far = np.array([[0.8, 0, 0.6, 0]], np.float32)
    assert worker.match_or_add(far, one, key="c", distinct=distinct).tolist() == [1]


@pytest.mark.parametrize("threshold", [0, -0.1, 1.41, float("nan"), float("inf")])
def test_a_threshold_that_no_store_may_have_is_refused(opened: Open, threshold: float) -> None:
    store = opened()
    with pytest.raises(Exception, match=r"give one above 0, up to 1\.4"):
        Corrections(store, "ada").set_threshold(threshold)
    assert store.people().events == []


def test_a_mean_stays_after_the_limit(opened: Open) -> None:
    """The archive tool's went on with the weight of the limit, and could drift to somebody else."""
    store = opened()
    random = np.random.default_rng(3)
    looks = FACES[:1] + random.normal(0, 0.05, (9, 4)).astype(np.float32)
    means = []
    for number, look in enumerate(looks):
        add(store, look[None], str(number))
        means.append(store.get(0).centroid.tobytes())
    assert len(set(means[: SETTINGS.refine])) == SETTINGS.refine
    assert set(means[SETTINGS.refine :]) == {means[SETTINGS.refine - 1]}
