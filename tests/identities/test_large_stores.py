"""Stores of more people than are read at once: who opens one knows what all others know."""

import numpy as np

from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.records import MediumRecord, Settings

SETTINGS = Settings(model="test", threshold=0.001)
PEOPLE = 9_000


def faces(*numbers: int) -> np.ndarray:
    vectors = np.random.default_rng(3).normal(size=(PEOPLE, 8)).astype(np.float32)
    return vectors[list(numbers)] if numbers else vectors


def see(store: IdentityStore, *numbers: int, film: str) -> list[int]:
    seen = faces(*numbers)
    n = len(seen)
    medium = MediumRecord(path=film, person_ids=tuple(range(n)), milliseconds=(1,) * n, day=738_000)
    ids = store.match_or_add(seen, np.ones(n, np.int64), key=film, distinct=True, medium=medium)
    return ids.tolist()


def test_who_opens_a_large_store_knows_what_others_know(url: str) -> None:
    store = open_store(url, settings=SETTINGS)
    assert see(store, film="first") == list(range(PEOPLE))
    assert see(store, 7, 4_096, 8_000, film="second") == [7, 4_096, 8_000]
    Corrections(store, "ada").forget([5, PEOPLE - 1])
    Corrections(store, "ada").name(7, "Ada")
    pages: list[int] = []

    def change_between_pages() -> None:
        pages.append(len(pages))
        if len(pages) == 1:
            assert see(store, 3, 8_500, film="third") == [3, 8_500]
            Corrections(store, "ada").forget([2, 8_001])
            Corrections(store, "ada").name(4_096, "Grace")

    reader = open_store(url, settings=None, on_wait=change_between_pages)
    names = reader.people().names
    assert len(pages) > 2
    assert names == store.people().names == {7: "Ada", 4_096: "Grace"}
    assert (reader.version, reader.size) == (store.version, store.size) == (reader.version, PEOPLE)
    assert np.array_equal(reader.facts(), store.facts())
    assert np.array_equal(reader.cosines(8_500), store.cosines(8_500))
    assert not reader.facts()[[2, 5, 8_001, PEOPLE - 1]].any()
    assert see(reader, PEOPLE - 1, 7, film="fourth") == [PEOPLE, 7]
    for one in (reader, store):
        one.close()


def test_the_most_frequent_are_counted_with_those_merged_into_them(url: str) -> None:
    store = open_store(url, settings=SETTINGS)
    see(store, *range(40), film="a")
    see(store, 3, 9, film="b")
    see(store, 9, 20, film="c")
    see(store, 9, film="d")
    corrections = Corrections(store, "ada")
    corrections.merge(20, 3)
    corrections.merge(20, 30)
    archive = PeopleOfArchive(store)
    # In a, all three are seen; in b and c, one of them.
    listed = [(person.identity, person.media, person.faces) for person in archive.most(limit=3)]
    assert listed == [(9, 4, 4), (20, 3, 5), (0, 1, 1)]
    assert [person.identity for person in archive.most(limit=4)] == [9, 20, 0, 1]
    whole = [person.identity for person in archive.most()]
    assert [person.identity for person in archive.most(limit=38)] == whole
    assert len(whole) == 38
    for number in (3, 20, 30):
        seen = archive.seen_in(number)
        assert archive.person(number).media == len({one.medium for one in seen}) == 3
    store.close()
