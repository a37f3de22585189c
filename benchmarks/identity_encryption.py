"""What encryption costs an identity store in a file: 20,000 identities, with a key and without.

Each is seen once, with a portrait of 3 kB, in media of 50 people; then the store is opened and
asked, gets another key, and forgets somebody.
"""

import os
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np

from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.encryption.rekey import rekey
from analyzer.identities.records import MediumRecord, Settings

_IDENTITIES, _DIMENSIONS, _MEDIUM = 20_000, 128, 50
_PORTRAIT_BYTES = 3000
_SETTINGS = Settings(model="benchmark", threshold=0.2)
_KEY, _OTHER = bytes(range(32)), bytes(range(32, 64))
_RUNS = 50


def run() -> dict[str, float]:
    """Seconds and milliseconds of processor time of each step, plain and encrypted."""
    figures: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, key in (("plain", None), ("encrypted", _KEY)):
            path = Path(folder) / name
            measured = _measure(str(path), key)
            figures |= {f"{name}_{what}": figure for what, figure in measured.items()}
    return figures


def _measure(path: str, key: bytes | None) -> dict[str, float]:
    figures: dict[str, float] = {}
    with closing(open_store(path, settings=_SETTINGS, key=key)) as store:
        figures["fill_s"] = _seconds(lambda: _fill(store))
    figures["file_mb"] = os.path.getsize(path) / 1e6
    query = np.ones((1, _DIMENSIONS), np.float32)
    with closing(open_store(path, settings=None, key=key)) as store:
        figures["first_look_up_s"] = _seconds(lambda: store.match(query))
        looked_up = [_seconds(lambda: store.match(query)) for _ in range(_RUNS)]
        figures["look_up_ms_shortest"] = min(looked_up) * 1000
        archive = PeopleOfArchive(store)
        shown = [_seconds(lambda n=n: archive.seen_in(n)) for n in range(_RUNS)]  # type: ignore[misc]
        figures["appearances_of_one_ms_shortest"] = min(shown) * 1000
        places = [(1 + n // _MEDIUM, n % _MEDIUM) for n in range(1000)]
        figures["1000_portraits_s"] = _seconds(lambda: store.records.portraits(places))
        Corrections(store, "benchmark").forget([7])
        figures["forget_s"] = _seconds(store.records.scrub)
        figures["another_key_s"] = _seconds(lambda: rekey(store, key, _OTHER, by="benchmark"))
    return figures


def _fill(store: IdentityStore) -> None:
    rng = np.random.default_rng(0)
    jpeg = rng.bytes(_PORTRAIT_BYTES)
    for number in range(_IDENTITIES // _MEDIUM):
        people = rng.standard_normal((_MEDIUM, _DIMENSIONS), dtype=np.float32)
        medium = MediumRecord(
            path=f"film {number}.mp4",
            person_ids=tuple(range(_MEDIUM)),
            milliseconds=(1000,) * _MEDIUM,
            portraits=lambda rows: dict.fromkeys(rows, jpeg),
        )
        counts = np.ones(_MEDIUM, np.int64)
        store.match_or_add(people, counts, key=str(number), distinct=True, medium=medium)


def _seconds(do: Callable[[], object]) -> float:
    """Processor time: that of a disk is the same with a key and without."""
    started = time.process_time()
    do()
    return time.process_time() - started
