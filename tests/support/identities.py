"""Identity stores: what they must hold after a run, and processes that use one at once.

`python -m tests.support.identities URL NUMBER OF PAUSE_S` is one of `OF` such processes;
`python -m tests.support.identities URL SEED` corrects the store meanwhile.
"""

import random
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np

from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.log.people import CorrectionRefused, last_event
from analyzer.identities.records import Counters, Settings
from tests.support.servers import table

SETTINGS = Settings(model="test", threshold=0.6, refine=30)
PEOPLE, EMBEDDINGS, BATCH = 200, 20_000, 50


def faces(out: Path) -> Counter[int]:
    """Faces of each identity, as the tables of characters have it."""
    counts: Counter[int] = Counter()
    for path in out.glob("*.characters"):
        for row in table(path):
            counts[int(row["identity_id"])] += int(row["face_count"])
    return counts


def archived(out: Path, url: str, *, times: int = 1) -> tuple[int, int]:
    """See that a store knows what tables say; return its number of people, and of faces."""
    faces_of_tables = faces(out)
    store = open_store(url, settings=None)
    counters, faces_of_store = store.counters(), {person.id: person.faces for person in store.all()}
    store.close()
    assert faces_of_store == {number: times * count for number, count in faces_of_tables.items()}
    saved = times * faces_of_tables.total()
    assert counters == Counters(
        detected=counters.detected, embedded=saved, saved=saved, identities=len(faces_of_tables)
    )
    assert saved <= counters.detected
    return len(faces_of_tables), saved


def crowd() -> tuple[np.ndarray, np.ndarray]:
    """Embeddings (20,000, 128) and their owners, 200 people; the same in every process."""
    rng = np.random.default_rng(7)
    centres = rng.normal(size=(PEOPLE, 128))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    owners = rng.permutation(np.arange(EMBEDDINGS) % PEOPLE)
    noise = rng.normal(size=(EMBEDDINGS, 128)) * 0.25 / np.sqrt(128)
    return (centres[owners] + noise).astype(np.float32), owners


def main(url: str, number: int, of: int, pause_s: float) -> None:
    """Give the store this process's share, in calls; each is said twice now and then."""
    embeddings, owners = crowd()
    store = open_store(url, settings=SETTINGS)
    print("ready", flush=True)
    sys.stdin.readline()
    for call in range(number, EMBEDDINGS // BATCH, of):
        part = slice(call * BATCH, (call + 1) * BATCH)
        for _ in range(2 if call % 7 == 0 else 1):
            ids = store.match_or_add(
                embeddings[part], np.ones(BATCH, np.int64), key=str(call), detected=BATCH + 1
            )
        pairs = {f"{w}:{i}" for w, i in zip(owners[part].tolist(), ids.tolist(), strict=True)}
        print(*pairs, flush=True)
        time.sleep(pause_s)
    store.close()


def edit(url: str, seed: str) -> None:
    """Merge, split, name and undo at random until it is stopped; print what was done."""
    rng, store = random.Random(seed), open_store(url, settings=None)
    corrections = Corrections(store, f"editor {seed}")
    print("ready", flush=True)
    while True:
        time.sleep(0.01)
        identity, other = rng.sample(range(max(2, store.size)), 2)
        try:
            match rng.randrange(4):
                case 0:
                    event = corrections.merge(identity, other)
                case 1:
                    appearances = PeopleOfArchive(store).seen_in(identity)
                    call, row = (
                        rng.choice(appearances).appearance.split(":") if appearances else ("0", "0")
                    )
                    event = corrections.split(identity, [(int(call), int(row))])
                case 2:
                    event = corrections.name(identity, f"person {seed} {identity}")
                case _:
                    event = corrections.undo(last_event(store.people().events) or 1)
        except CorrectionRefused:
            continue
        print(event.number, event.by, event.action.kind, flush=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        edit(sys.argv[1], sys.argv[2])
    else:
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
