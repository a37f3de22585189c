"""`python -m benchmarks._identity_measures STEP URL IDENTITIES`: one step, in a process of its own.

A process of its own, since what is measured is its memory, too: the most that it ever had. `fill`
writes the store; `open` and `cold` open it and ask it, and print figures as JSON. Before `cold`,
the system forgets what it has read of the file.
"""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from analyzer.identities.address import file_of, open_store
from analyzer.identities.archive import PeopleOfArchive
from benchmarks import _identity_archive as archive

_BATCH = 64
_RUNS = 20
_NAMED, _MERGED = 10, 1000
"""One of so many identities has a name, or is merged into another."""


class Stopwatch:
    """Times by name: seconds or milliseconds, and of the processor, which the load touches less."""

    def __init__(self) -> None:
        self.figures: dict[str, float] = {}

    def once(self, name: str, do: Callable[[], object]) -> None:
        """Seconds of something that is done once."""
        started, computed = time.perf_counter(), time.process_time()
        do()
        self.figures[f"{name}_s"] = time.perf_counter() - started
        self.figures[f"{name}_cpu_s"] = time.process_time() - computed

    def often(self, name: str, do: Callable[[], object], *, of: int = 1) -> None:
        """Milliseconds of something that is done again and again, divided by `of`."""
        computed, times = time.process_time(), []
        for _ in range(_RUNS):
            started = time.perf_counter()
            do()
            times.append((time.perf_counter() - started) * 1000 / of)
        computed = (time.process_time() - computed) * 1000 / _RUNS / of
        self.figures[f"{name}_ms_shortest"] = min(times)
        self.figures[f"{name}_ms_median"] = statistics.median(times)
        self.figures[f"{name}_cpu_ms"] = computed


def fill(url: str, identities: int) -> dict[str, float]:
    """Write the store."""
    watch = Stopwatch()
    whole = archive.Archive(identities)
    path = file_of(url)
    write = archive.write_server if path is None else archive.write_file
    watch.once("fill", lambda: write(url, whole))
    archive.write_log(url, identities // _NAMED, identities // _MERGED)
    return watch.figures


def ask(url: str) -> dict[str, float]:
    """Open the store, and ask it what people and workers ask."""
    watch = Stopwatch()
    rng = np.random.default_rng(1)
    batch = rng.standard_normal((_BATCH, archive.DIMENSIONS), dtype=np.float32)
    store = open_store(url, settings=None)
    watch.once("open", lambda: store.match(batch[:1]))
    watch.often("look_up", lambda: store.match(batch[:1]))
    watch.often("look_up_in_batch", lambda: store.match(batch), of=_BATCH)
    watch.often("first_100_by_frequency", lambda: PeopleOfArchive(store).most(limit=100))
    people = PeopleOfArchive(store)
    numbers = iter(rng.integers(0, store.size, 2 * _RUNS).tolist())
    watch.often("alike", lambda: people.alike(next(numbers), limit=10))
    counters = store.counters()
    watch.figures["identities"] = counters.identities
    watch.figures["appearances"] = counters.saved
    watch.figures["events"] = len(people.log.events)
    store.close()
    watch.figures["memory_mb"] = _most_memory_mb()
    return watch.figures


def _most_memory_mb() -> float:
    # The resource module would tell of the process that started this one, where that had more.
    lines = Path("/proc/self/status").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(kilobytes) / 1000


def _forget_cached(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    os.fsync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(descriptor)


if __name__ == "__main__":
    step, address = sys.argv[1:3]
    file = file_of(address)
    if step == "cold" and file:
        _forget_cached(file)
    print(json.dumps(fill(address, int(sys.argv[3])) if step == "fill" else ask(address)))
