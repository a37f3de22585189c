"""Workers match and people correct at once, and some are killed: nothing is lost."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.identities.address import open_store
from analyzer.identities.archive import Archive
from analyzer.identities.corrections import Corrections
from analyzer.identities.log.people import CorrectionRefused, last_event
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer

MATCHERS, EDITORS = 8, 2
SECONDS = 6.0


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
                    said = corrections.merge(identity, other)
                case 1:
                    seen = Archive(store).seen_in(identity)
                    call, row = rng.choice(seen).appearance.split(":") if seen else ("0", "0")
                    said = corrections.split(identity, [(int(call), int(row))])
                case 2:
                    said = corrections.name(identity, f"person {seed} {identity}")
                case _:
                    said = corrections.undo(last_event(store.people().events) or 1)
        except CorrectionRefused:
            continue
        print(said.number, said.by, said.action.kind, flush=True)


def start(module: str, *arguments: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
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
    from tests.support.identities import SETTINGS

    open_store(url, settings=SETTINGS).close()
    support = "tests.support.identities"
    matchers = [start(support, url, str(n), str(MATCHERS), "0.05") for n in range(MATCHERS)]
    editors = [start("tests.acceptance.test_identity_editors", url, str(n)) for n in range(EDITORS)]
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
    archive = Archive(store)
    people = archive.most("faces")
    counters = store.counters()
    assert counters.saved == counters.embedded == sum(person.faces for person in people) > 0
    assert counters.identities == sum(len(person.members) for person in people)
    for person in people[:50]:
        assert person.faces == sum(seen.faces for seen in archive.seen_in(person.identity))
    store.close()


if __name__ == "__main__":
    edit(sys.argv[1], sys.argv[2])
