"""Ledgers, joblists and servers on temporary files and loopback sockets."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.types import JobSpec, Manifest, PartFile

EXPORTERS = ("ass", "csv", "mp4")


class Clock:
    """Time that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "jobs.ledger")
    yield opened
    opened.close()


@pytest.fixture
def ledger(store: Store, clock: Clock) -> Ledger:
    return Ledger(store, clock=clock)


@pytest.fixture
def fill(ledger: Ledger, tmp_path: Path) -> Callable[[int], None]:
    """Import n jobs."""

    def add(n: int) -> None:
        import_jobs(ledger, specs(tmp_path, n), options_digest="opts")

    return add


def specs(folder: Path, n: int) -> list[JobSpec]:
    return [
        JobSpec(
            source_path=str(folder / f"{i}.mp4"), dests={"csv": str(folder / f"{i}.csv")}, line=i
        )
        for i in range(2, n + 2)
    ]


def manifest(path: Path, content: bytes = b"") -> dict[str, object]:
    """The manifest of a csv that has been published at `path`."""
    file = PartFile(part=f"{path}.part.1.1", path=str(path), sha256="0", size=len(content))
    return Manifest(files={"csv": file}, statistics={"media_s": 2.0, "persons": 1}).to_dict()
