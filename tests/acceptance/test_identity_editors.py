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
from analyzer.identities.log.events import Event
from tests.support.identities import BATCH, EMBEDDINGS, SETTINGS
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer

MATCHERS, EDITORS = 8, 2
ROUNDS, ROUND_S = 3, 2.0
"""In each, a matcher and an editor are killed, and others take their places."""


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


def match(url: str, number: int) -> "subprocess.Popen[str]":
    matcher = start(url, str(number), str(MATCHERS), "0.15")
    assert matcher.stdin is not None
    matcher.stdin.write("go\n")
    matcher.stdin.flush()
    return matcher


def calls_answered(lines: int, number: int) -> set[int]:
    """The calls of which a matcher of this number has told."""
    return set(range(number, EMBEDDINGS // BATCH, MATCHERS)[:lines])


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
    matchers = [(number, match(url, number)) for number in range(MATCHERS)]
    editors = [start(url, str(number)) for number in range(EDITORS)]
    for number in range(ROUNDS):
        time.sleep(ROUND_S)
        matchers[number][1].kill()
        editors[-EDITORS].kill()
        matchers.append((number, match(url, number)))
        editors.append(start(url, str(EDITORS + number)))
    time.sleep(ROUND_S)
    for process in (*(matcher for _, matcher in matchers), *editors):
        process.kill()
    told = [
        line.split(maxsplit=1)
        for editor in editors
        for line in editor.communicate()[0].splitlines()
    ]
    answered: set[int] = set()
    for number, matcher in matchers:
        answered |= calls_answered(matcher.communicate()[0].count("\n"), number)
    store = open_store(url, settings=None)
    require_events(store.people().events, told, unheard=len(editors))
    counters = store.counters()
    # Each call counts once, also one that a matcher was killed before it told of.
    calls, rest = divmod(counters.saved, BATCH)
    assert rest == 0
    assert len(answered) <= calls <= len(answered) + len(matchers)
    assert counters.detected == calls * (BATCH + 1)
    archive = PeopleOfArchive(store)
    people = archive.most("faces")
    assert counters.saved == counters.embedded == sum(person.faces for person in people) > 0
    assert counters.identities == sum(len(person.members) for person in people)
    for person in people:
        assert person.faces == sum(seen.faces for seen in archive.seen_in(person.identity))
    store.close()


def require_events(events: list[Event], told: list[list[str]], *, unheard: int) -> None:
    """Every event that an editor told of stands in the log where it said; few others do."""
    assert len(told) >= 10
    assert {rest.split()[-1] for _, rest in told} >= {"merged", "split", "undone", "named"}
    for number, rest in told:
        event = events[int(number) - 1]
        assert f"{event.by} {event.action.kind}" == rest
    # The last word of a killed editor may not have been heard.
    assert len(events) - len(told) <= unheard
    assert len({number for number, _ in told}) == len(told)
