"""Identity stores under many processes at once, and with a server that dies: nothing is lost."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from analyzer.identities.address import open_store
from analyzer.identities.records import Counters
from tests.support import identities
from tests.support.identities import BATCH, EMBEDDINGS, PEOPLE
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer


@pytest.fixture
def redis_server(tmp_path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


def start(url: str, n: int, pause_s: float = 0) -> list[subprocess.Popen[str]]:
    """Start processes, and let them go when all are there."""
    # BLAS threads of eight processes would only get in each other's way.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.support.identities", url]
    workers = [
        subprocess.Popen(
            [*command, str(number), str(n), str(pause_s)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(n)
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    return workers


def check(url: str, workers: list[subprocess.Popen[str]]) -> None:
    """See that all adds up, and that person and identity are one to one."""
    pairs = set()
    for worker in workers:
        pairs.update(worker.communicate()[0].split())
        assert worker.returncode == 0
    assert len(pairs) == len({p.split(":")[0] for p in pairs}) == PEOPLE
    store = open_store(url, settings=None)
    assert store.counters() == Counters(
        detected=EMBEDDINGS // BATCH * (BATCH + 1),
        embedded=EMBEDDINGS,
        saved=EMBEDDINGS,
        identities=PEOPLE,
    )
    people = list(store.all())
    assert [person.id for person in people] == list(range(PEOPLE))
    assert {person.faces for person in people} == {EMBEDDINGS // PEOPLE}
    assert {person.updates for person in people} == {identities.SETTINGS.refine}
    store.close()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_eight_processes_add_each_person_once(kind, tmp_path, request):
    url = str(tmp_path / "file")
    if kind == "redis":
        url = request.getfixturevalue("redis_server").url()
    check(url, start(url, 8))


@pytest.mark.timeout(600)
def test_redis_killed_and_started_again_loses_and_doubles_nothing(redis_server):
    url = redis_server.url()
    workers = start(url, 4, pause_s=0.03)
    for _ in range(3):
        time.sleep(1)
        assert any(worker.poll() is None for worker in workers), "they ended before the server"
        redis_server.kill()
        time.sleep(0.5)
        redis_server.start()
    check(url, workers)


@pytest.mark.timeout(600)
def test_a_killed_worker_is_repeated_by_another(tmp_path):
    url = str(tmp_path / "file")
    workers = start(url, 4, pause_s=0.02)
    for worker in workers:
        for _ in range(10):
            worker.stdout.readline()
        worker.kill()
        worker.communicate()
    check(url, start(url, 4))
