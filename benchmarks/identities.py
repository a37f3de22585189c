"""Look-ups among 1,000,000 identities: the copy in memory, and a call to a store that has them.

The copy is searched with the threads that BLAS takes; OPENBLAS_NUM_THREADS=1 measures one. On a
machine with other work to do, the shortest time is near what the search costs, the median what one
gets; processor time leaves out the waiting, and adds up the threads.
"""

import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.matching.means import stored
from analyzer.identities.records import (
    FACTS,
    CallRecord,
    Settings,
    StoreChange,
    StoredAppearance,
)
from analyzer.types import F32

_IDENTITIES = 1_000_000
_DIMENSIONS = 128
_CALL = 4096
_BATCH = 64
_RUNS = 20


def run() -> dict[str, float]:
    """Milliseconds a look-up, alone and in a batch; seconds to fill and to open the store."""
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "identities"
        settings = Settings(model="benchmark", threshold=0.2, refine=1)
        filled = _seconds(lambda: _fill(str(path), settings, rng))
        store = open_store(str(path), settings=None)
        first = rng.standard_normal((1, _DIMENSIONS), dtype=np.float32)
        opened = _seconds(lambda: store.match(first))
        batch = rng.standard_normal((_BATCH, _DIMENSIONS), dtype=np.float32)
        before = time.process_time()
        one = [_seconds(lambda: store.match(first)) for _ in range(_RUNS)]
        computed = (time.process_time() - before) / _RUNS
        many = [_seconds(lambda: store.match(batch)) / _BATCH for _ in range(_RUNS)]
        identities = store.counters().identities
        listed = _seconds(lambda: PeopleOfArchive(store).most(limit=100))
        archive = PeopleOfArchive(store)
        alike = [_seconds(partial(archive.alike, n, limit=10)) for n in range(_RUNS)]
        size = path.stat().st_size
        store.close()
    return {
        "identities": identities,
        "fill_s": filled,
        "first_look_up_s": opened,
        "file_mb": size / 1e6,
        "look_up_cpu_ms": computed * 1000,
        "look_up_ms_shortest": min(one) * 1000,
        "look_up_ms_median": statistics.median(one) * 1000,
        "look_up_in_batch_ms_shortest": min(many) * 1000,
        "look_up_in_batch_ms_median": statistics.median(many) * 1000,
        "first_100_by_frequency_ms": listed * 1000,
        "alike_ms_shortest": min(alike) * 1000,
        "alike_ms_median": statistics.median(alike) * 1000,
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _fill(path: str, settings: Settings, rng: np.random.Generator) -> None:
    """Write strangers; to look each of them up among the others first would take an hour."""
    store = open_store(path, settings=settings)
    for start in range(0, _IDENTITIES, _CALL):
        ids = np.arange(start, min(start + _CALL, _IDENTITIES))
        people = rng.standard_normal((len(ids), _DIMENSIONS), dtype=np.float32)
        people /= np.linalg.norm(people, axis=1, keepdims=True)
        facts = rng.integers(1, 1000, (len(ids), len(FACTS)))
        rows = [stored(*one).pack() for one in zip(ids.tolist(), people, facts, strict=True)]
        store.records.write(
            StoreChange(
                version=start,
                events=0,
                rows=tuple(zip(ids.tolist(), rows, strict=True)),
                counters={"identities": len(ids)},
                key=str(start),
                record=CallRecord(ids=tuple(ids.tolist())).pack(),
                appearances=tuple(
                    (identity, _appearance(vector), b"")
                    for identity, vector in zip(ids.tolist(), people, strict=True)
                ),
            )
        )
    store.close()


def _appearance(vector: F32) -> bytes:
    return StoredAppearance(
        call=0, row=0, embedding=vector, person_id=0, faces=1, milliseconds=0
    ).pack()


def _seconds(do: Callable[[], object]) -> float:
    started = time.perf_counter()
    do()
    return time.perf_counter() - started
