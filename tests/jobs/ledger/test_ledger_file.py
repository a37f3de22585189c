"""Files that are no ledgers, and ledgers that are damaged while they are open."""

import os
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from jobs.errors import LedgerLost, LedgerRefused
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store

Fill = Callable[[int], object]


def make_text(path: Path) -> None:
    path.write_text("source_path,dest_csv\n" * 100)


def make_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE places(name TEXT)")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (make_text, "is not a ledger"),
        (make_database, "is not a ledger, but a database of another program"),
        (os.mkfifo, "is not a regular file"),
        (make_socket, "is not a regular file"),
        (os.mkdir, "is a folder"),
    ],
)
@pytest.mark.parametrize("is_link", [False, True])
def test_what_is_refused_leaves_nothing_and_is_left_as_it_is(
    tmp_path: Path, make: Callable[[Path], None], says: str, is_link: bool
) -> None:
    path = tmp_path / "it"
    make(path)
    if is_link:
        os.symlink(path, tmp_path / "link")
    before = {name: os.lstat(tmp_path / name) for name in sorted(os.listdir(tmp_path))}
    with pytest.raises(LedgerRefused, match=says):
        Store(tmp_path / "link" if is_link else path)
    assert sorted(os.listdir(tmp_path)) == list(before)
    for name, status in before.items():
        now = os.lstat(tmp_path / name)
        assert (now.st_size, now.st_mtime_ns) == (status.st_size, status.st_mtime_ns)


def test_an_empty_file_and_an_own_ledger_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    path.touch()
    with closing(Store(path)) as store:
        assert path.read_bytes().startswith(b"SQLite format 3\0")
        uid = store.uid
    with closing(Store(path)) as store:
        assert (store.uid, store.epoch) == (uid, 2)


def cut_off(path: Path) -> None:
    os.truncate(path, 0)


def write_over(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(4096))


def write_over_all_but_the_header(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (path.stat().st_size - 100))


def remove(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    copy = path.with_name("copy")
    copy.write_bytes(path.read_bytes())
    copy.rename(path)


def look_for_a_second(store: Store) -> None:
    """Without what the looks themselves take, which other work makes longer."""
    for _ in range(20):
        store.require_there()
        time.sleep(0.05)


@pytest.mark.parametrize("ending", ["", "-wal", "-shm"])
@pytest.mark.parametrize(
    "harm", [cut_off, write_over, write_over_all_but_the_header, remove, replace]
)
@pytest.mark.parametrize("is_checkpointed", [True, False])
def test_damage_is_noticed_within_a_second(
    ledger: Ledger, fill: Fill, ending: str, harm: Callable[[Path], None], is_checkpointed: bool
) -> None:
    if ending == "-shm" and harm not in (remove, replace):
        pytest.skip("SQLite makes its contents anew, and a shorter one ends the process")
    if ending == "-wal" and harm is write_over_all_but_the_header:
        pytest.skip("frames that are not valid end the log")
    if not ending and harm is write_over_all_but_the_header and not is_checkpointed:
        pytest.skip("all its pages are in the log")
    fill(40)
    store = ledger.store
    if is_checkpointed:
        store._db.execute("PRAGMA wal_checkpoint(PASSIVE)")
    for _ in range(3):
        store.require_there()
        ledger.claim("w", f"r{_}", 1)
    harm(Path(f"{store.path}{ending}"))
    with pytest.raises(LedgerLost, match=r"damaged|removed or replaced") as caught:
        look_for_a_second(store)
    assert str(store.path) in str(caught.value)
    with pytest.raises(LedgerLost):
        store.meta("epoch")


@pytest.mark.parametrize("ending", ["-wal", "-shm"])
def test_a_ledger_that_lost_its_log_has_everything_when_it_is_opened_again(
    tmp_path: Path, ending: str
) -> None:
    path = tmp_path / "x.ledger"
    store = Store(path)
    store.set_meta(found="yes")
    Path(f"{path}{ending}").unlink()
    with pytest.raises(LedgerLost, match=r"start the server again$"):
        store.require_there()
    store.close()
    with closing(Store(path)) as opened:
        assert opened.meta("found") == "yes"


def test_a_ledger_at_work_is_never_taken_for_damaged(ledger: Ledger, fill: Fill) -> None:
    fill(3000)
    store = ledger.store
    for n in range(200):
        ledger.claim("w", f"r{n}", 1)
        if n % 20 == 0:
            store._db.execute("PRAGMA wal_checkpoint(RESTART)")
        store._watch._next_probe = 0.0
        store.require_there()


def test_the_look_costs_little(ledger: Ledger, fill: Fill) -> None:
    fill(3000)
    began = time.process_time()
    for _ in range(100):
        ledger.store._watch._next_probe = 0.0
        ledger.store.require_there()
    assert time.process_time() - began < 1.0
