"""Runs with an identity store, and their counts."""

import csv
from collections import Counter
from pathlib import Path

from analyzer.identities.address import open_store
from analyzer.identities.records import Counters


def faces(out: Path) -> Counter[int]:
    """Faces of each identity, as the tables of characters have it."""
    found: Counter[int] = Counter()
    for path in out.glob("*.characters"):
        for row in read(path):
            found[int(row["identity_id"])] += int(row["face_count"])
    return found


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def archived(out: Path, url: str, *, times: int = 1) -> tuple[int, int]:
    """See that a store knows what tables say; return its number of people, and of faces."""
    told = faces(out)
    store = open_store(url, settings=None)
    counters, known = store.counters(), {one.id: one.faces for one in store.all()}
    store.close()
    assert known == {number: times * count for number, count in told.items()}
    saved = times * told.total()
    assert counters == Counters(
        detected=counters.detected, embedded=saved, saved=saved, identities=len(told)
    )
    assert saved <= counters.detected
    return len(told), saved
