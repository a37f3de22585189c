"""Workers match and people correct at once, and some are killed: nothing is lost."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from tests.support.identities import SETTINGS
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer

MATCHERS, EDITORS = 8, 2
SECONDS = 6.0


def start(*arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.identities", *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@pytest.mark.acceptance
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["sqlite", "redis"])
def test_no_event_is_lost_and_all_adds_up(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = str(tmp_path / "file")
    if kind == "redis":
        url = request.getfixturevalue("redis_server").url()
    open_store(url, settings=SETTINGS).close()
    matchers = [start(url, str(n), str(MATCHERS), "0.05") for n in range(MATCHERS)]
    editors = [start(url, str(n)) for n in range(EDITORS)]
    for matcher in matchers:
        assert matcher.stdin is not None
        matcher.stdin.write("go\n")
        matcher.stdin.flush()
    time.sleep(SECONDS / 2)
    for killed in (matchers[0], editors[0]):
        killed.kill()
    time.sleep(SECONDS / 2)
    for killed in (*matchers, *editors):
        killed.kill()
    told = [
        line.split(maxsplit=1)
        for editor in editors
        for line in editor.communicate()[0].splitlines()
    ]
    for matcher in matchers:
        matcher.communicate()
    store = open_store(url, settings=None)
    events = store.people().events
    assert len(told) >= 10
    assert {kind for _, rest in told for kind in [rest.split()[-1]]} >= {"merged", "undone"}
    for number, rest in told:
        event = events[int(number) - 1]
        assert f"{event.by} {event.action.kind}" == rest
    # The last word of a killed editor may not have been heard; no other event is unknown.
    assert len(events) - len(told) <= EDITORS
    archive = PeopleOfArchive(store)
    people = archive.most("faces")
    counters = store.counters()
    assert counters.saved == counters.embedded == sum(person.faces for person in people) > 0
    assert counters.identities == sum(len(person.members) for person in people)
    for person in people[:50]:
        assert person.faces == sum(seen.faces for seen in archive.seen_in(person.identity))
    store.close()
