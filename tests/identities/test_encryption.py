"""Encrypted stores: keys, ciphertext in its place, another key, and what is refused."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from analyzer.__main__ import main
from analyzer.errors import MissingDependency, ResourceError, UsageError
from analyzer.identities import IdentityStore
from analyzer.identities.address import open_store
from analyzer.identities.corrections import Corrections
from analyzer.identities.encryption.rekey import rekey
from analyzer.identities.log.people import CorrectionRefused
from analyzer.identities.records import MediumRecord, Settings
from tests.support.processes import ROOT
from tests.support.redis_server import RedisServer

SETTINGS = Settings(model="test", threshold=0.6)
PEOPLE = np.eye(4, 64, dtype=np.float32)
KEY, OTHER = bytes(range(32)), bytes(range(32, 64))
NAME = "Ada Lovelace"
WORDS = (NAME.encode(), b"film.mp4", b"editor", b"picture", PEOPLE[0].tobytes(), b"secret call")


def fill(url: str, key: bytes | None) -> IdentityStore:
    """A store with people, portraits, a name and a merge."""
    store = open_store(url, settings=SETTINGS, key=key, wait_s=5)
    medium = MediumRecord(
        path="film.mp4",
        day=738_000,
        person_ids=(0, 1, 2, 3),
        milliseconds=(1, 2, 3, 4),
        portraits=lambda rows: {row: b"picture %d" % row for row in rows},
    )
    store.match_or_add(PEOPLE, np.arange(1, 5), key="secret call", distinct=True, medium=medium)
    say = Corrections(store, "editor")
    say.name(0, NAME)
    say.merge(1, 2)
    return store


def everything(store: IdentityStore) -> tuple[object, ...]:
    """All that a store says, but for changes of its key."""
    say, records = Corrections(store, "reader"), store.records
    identities = list(store.all())
    seen = [[(a.call, a.row, a.pack()) for a in say.appearances_of(i.id)] for i in identities]
    places = [place[:2] for of_one in seen for place in of_one]
    people = store.people()
    events = [event.pack() for event in people.events if event.action.kind != "key"]
    calls = records.calls(sorted({call for call, _ in places}))
    rows = [identity.pack() for identity in identities]
    return rows, seen, records.portraits(places), calls, events, people.names, store.counters()


def stored(url: str, server: RedisServer) -> bytes:
    """All bytes of a store."""
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).read_bytes()
    client = server.client()
    prefix = url.rpartition("=")[2]
    content = [client.dump(key) or b"" for key in client.keys(f"{prefix}:*")]
    client.close()
    return b"".join(content)


def test_nothing_can_be_read_without_the_key(url: str, redis_server: RedisServer) -> None:
    store = fill(url, KEY)
    content = stored(url, redis_server)
    assert not [word for word in WORDS if word in content]
    other = open_store(url, settings=SETTINGS, key=KEY)
    assert everything(other) == everything(store)
    assert other.match(PEOPLE).ids.tolist() == [0, 1, 2, 3]
    for opened in (store, other):
        opened.close()


def test_another_key_or_none_changes_nothing(url: str, redis_server: RedisServer) -> None:
    fill(url, KEY).close()
    content = stored(url, redis_server)
    for settings in (SETTINGS, None):
        with pytest.raises(UsageError, match="is encrypted with another key"):
            open_store(url, settings=settings, key=OTHER)
        with pytest.raises(UsageError, match="is encrypted: give --identity_key"):
            open_store(url, settings=settings)
    assert stored(url, redis_server) == content


def test_a_key_for_a_store_that_is_not_encrypted_is_refused(url: str) -> None:
    fill(url, None).close()
    with pytest.raises(UsageError, match=r"is not encrypted: leave --identity_key out"):
        open_store(url, settings=SETTINGS, key=KEY)


@pytest.mark.parametrize(
    ("old", "new"),
    [(None, KEY), (KEY, OTHER), (KEY, None)],
    ids=["encrypt", "another", "decrypt"],
)
def test_another_key_leaves_all_as_it_was(
    url: str, old: bytes | None, new: bytes | None, redis_server: RedisServer
) -> None:
    store, reader = fill(url, old), open_store(url, settings=None, key=old, wait_s=5)
    before = everything(store)
    event = rekey(store, old, new, by="keeper")
    assert (event.by, event.action.kind, event.number) == ("keeper", "key", 3)
    assert store.records.scrub() == ""
    content = stored(url, redis_server)
    assert bool([word for word in WORDS if word in content]) is (new is None)
    for opened in (store, reader):
        with pytest.raises(UsageError, match=r"another key since|is encrypted: give"):
            opened.match(PEOPLE)
        with pytest.raises(UsageError, match=r"another key since|is encrypted: give"):
            opened.match_or_add(PEOPLE, np.ones(4, np.int64), key="late")
        opened.close()
    again = open_store(url, settings=SETTINGS, key=new)
    assert everything(again) == before
    assert again.people().events[-1].by == "keeper"
    ids = again.match_or_add(PEOPLE, np.arange(1, 5), key="secret call", distinct=True)
    assert ids.tolist() == [0, 1, 2, 3]
    assert again.counters().embedded == 10, "a call is known by its key as before"
    with pytest.raises(CorrectionRefused, match="changed back by `identities rekey`"):
        Corrections(again, "editor").undo(3)
    again.close()
    with pytest.raises(UsageError, match="encrypted"):
        open_store(url, settings=None, key=old)


def test_a_store_of_the_first_form_is_encrypted(url: str, redis_server: RedisServer) -> None:
    """Its one call stands for all before, and has no key."""
    fill(url, None).close()
    record = b'{"ids":[],"path":"","day":0}'
    if url.startswith("sqlite"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as db:
            db.execute("INSERT INTO call VALUES(0, '', ?)", (record,))
        db.close()
    else:
        client = redis_server.client()
        client.hset(f"{url.rpartition('=')[2]}:records", "0", record)
        client.close()
    for old, new in ((None, KEY), (KEY, OTHER), (OTHER, None)):
        store = open_store(url, settings=None, key=old)
        rekey(store, old, new, by="keeper")
        store.close()
        again = open_store(url, settings=None, key=new)
        assert again.records.calls([0]) == [record]
        assert again.records.calls_made() == 1
        again.close()


def swap(url: str, server: RedisServer, table: str, one: str, other: str) -> None:
    """Put two values of a table into each other's places, as a thief of a disk could."""
    if url.startswith("sqlite"):
        names = {"rows": ("identity", "id", "row"), "portraits": ("portrait", "row", "jpeg")}
        names |= {"records": ("call", "number", "record"), "events": ("event", "number", "entry")}
        names |= {"appearances": ("appearance", "row", "record")}
        name, place, value = names[table]
        with sqlite3.connect(url.removeprefix("sqlite:///")) as db:
            at = [place.rpartition(":")[2] for place in (one, other)]
            query = f"SELECT {value} FROM {name} WHERE {place} = ?"
            values = [db.execute(query, (key,)).fetchone()[0] for key in at]
            for key, new in zip(at, reversed(values), strict=True):
                db.execute(f"UPDATE {name} SET {value} = ? WHERE {place} = ?", (new, key))
        db.close()
        return
    client, key = server.client(), f"{url.rpartition('=')[2]}:{table}"
    if table == "events":
        values = client.lrange(key, 0, 1)
        for at, new in enumerate(reversed(values)):
            client.lset(key, at, new)
    else:
        values = client.hmget(key, [one, other])
        client.hset(key, mapping={one: values[1], other: values[0]})
    client.close()


@pytest.mark.parametrize(
    ("table", "one", "other"),
    [
        ("rows", "0", "1"),
        ("appearances", "1:0", "1:1"),
        ("portraits", "1:0", "1:1"),
        ("records", "1", "2"),
        ("events", "1", "2"),
    ],
)
def test_values_open_in_their_places_only(
    url: str, table: str, one: str, other: str, redis_server: RedisServer
) -> None:
    store = fill(url, KEY)
    store.match_or_add(PEOPLE[:1], np.ones(1, np.int64), key="second")
    store.close()
    swap(url, redis_server, table, one, other)
    store = open_store(url, settings=None, key=KEY)
    with pytest.raises(UsageError, match="not what an identity store holds"):
        everything(store)
    if table == "records":
        with pytest.raises(UsageError, match="that of another"):
            store.match_or_add(PEOPLE[:1], np.ones(1, np.int64), key="second")
    store.close()


def test_altered_settings_do_not_open(tmp_path: Path) -> None:
    path = tmp_path / "people"
    fill(str(path), KEY).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = replace(value, '0.6', '1.3') WHERE name = 'settings'")
    db.close()
    with pytest.raises(UsageError, match="encrypted with another key"):
        open_store(str(path), settings=None, key=KEY)


def test_one_key_serves_two_stores_and_no_value_goes_over(tmp_path: Path) -> None:
    for name in ("one", "two"):
        fill(str(tmp_path / name), KEY).close()
    with sqlite3.connect(tmp_path / "one") as one, sqlite3.connect(tmp_path / "two") as two:
        (row,) = one.execute("SELECT row FROM identity WHERE id = 0").fetchone()
        two.execute("UPDATE identity SET row = ? WHERE id = 0", (row,))
    one.close()
    two.close()
    store = open_store(str(tmp_path / "two"), settings=None, key=KEY)
    with pytest.raises(UsageError, match="identity 0 does not open"):
        store.match(PEOPLE)
    store.close()


def test_calls_of_many_processes_have_one_number_each(url: str) -> None:
    """A record is bound to its number, which another call may take in between."""
    stores = [fill(url, KEY), open_store(url, settings=None, key=KEY)]
    none = np.empty((0, 64), np.float32)
    commit = stores[0].records.inner.write

    def late(change: object) -> bytes | None:
        stores[0].records.inner.write = commit
        stores[1].match_or_add(none, np.empty(0, np.int64), key="between")
        return commit(change)

    stores[0].records.inner.write = late
    stores[0].match_or_add(none, np.empty(0, np.int64), key="late")
    assert stores[0].records.calls_made() == 3
    assert len(stores[0].records.calls([1, 2, 3])) == 3
    for store in stores:
        store.close()


KILLED = """
import os, sys
from analyzer.identities.address import open_store
from analyzer.identities.encryption import cipher
from analyzer.identities.encryption.rekey import rekey
encrypt, done = cipher.Cipher.encrypt_call, []
def dying(self, *values):
    done.append(values)
    if len(done) == 5:
        os.kill(os.getpid(), 9)
    return encrypt(self, *values)
cipher.Cipher.encrypt_call = dying
rekey(open_store(sys.argv[1], settings=None), None, bytes(32), by="killed")
"""


def test_a_change_of_the_key_that_is_killed_has_done_nothing(
    url: str, redis_server: RedisServer
) -> None:
    store = fill(url, None)
    for number in range(9):
        store.match_or_add(PEOPLE, np.ones(4, np.int64), key=f"call {number}")
    before = everything(store)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, url], env=environment, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert everything(store) == before
    rekey(store, None, KEY, by="keeper")
    store.close()
    again = open_store(url, settings=None, key=KEY)
    assert everything(again) == before
    again.records.scrub()
    again.close()
    client = redis_server.client()
    assert not client.keys("*:new:*")
    client.close()


def test_a_change_of_the_key_gives_way_to_others_and_then_gives_up(url: str) -> None:
    store, other = fill(url, None), open_store(url, settings=None)
    inner, calls = store.records.rewrite, []

    def meddled(change: object) -> bool:
        calls.append(change)
        if len(calls) <= limit:
            Corrections(other, "editor").name(3, f"name {len(calls)}")
        return inner(change)

    store.records.rewrite, limit = meddled, 99
    with pytest.raises(ResourceError, match="others write to it all the time"):
        rekey(store, None, KEY, by="keeper")
    calls, limit = [], 2
    assert rekey(store, None, KEY, by="keeper").number == len(calls) + 2 + 5
    for opened in (store, other):
        opened.close()


def test_without_its_library_the_cure_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("cipher", "encrypted_records", "rekey"):
        monkeypatch.delitem(sys.modules, f"analyzer.identities.encryption.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(MissingDependency, match=r"pip install 'cryptography>=\d+'"):
        open_store(str(tmp_path / "people"), settings=SETTINGS, key=KEY)


def test_commands_take_the_key(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one.key", "two.key"):
        assert main(["identities", "key", name]) == 0
    fill("people", None).close()
    assert main(["identities", "rekey", "people", "--decrypt"]) == 2
    assert "is not encrypted: there is nothing to decrypt" in capsys.readouterr().err
    assert main(["identities", "rekey", "people", "--new_key", "one.key", "--by", "keeper"]) == 0
    assert main(["identities", "list", "people"]) == 2
    assert main(["identities", "list", "people", "--identity_key", "two.key"]) == 2
    own = ["--identity_key", "one.key"]
    capsys.readouterr()
    assert main(["identities", "history", "people", "--format", "csv", *own]) == 0
    history = capsys.readouterr().out
    assert "keeper,encrypted with a new key" in history
    assert main(["identities", "undo", "people", *own]) == 0
    assert "event 2 undone" in capsys.readouterr().out, "a change of the key is passed over"
    assert main(["identities", "rekey", "people", *own, "--new_key", "one.key"]) == 2
    assert "this is the key that the store has" in capsys.readouterr().err
    assert main(["forget", NAME, "--identities", "people", *own, "--yes"]) == 0
    assert main(["identities", "rekey", "people", *own, "--decrypt"]) == 0
    assert main(["identities", "list", "people"]) == 0
    assert NAME not in capsys.readouterr().out
