"""Ledgers, joblists and servers on temporary files and loopback sockets."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from tests.support.jobs import Clock, specs


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
