"""Who is to blame when something fails: the job, its worker, the machine, or the storage."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.ledger import operations, queries
from jobs.ledger.ledger import Ledger
from jobs.outputs import storage_probe
from jobs.outputs.part_names import part_name
from jobs.outputs.places import Places
from jobs.outputs.storage_probe import Storage
from jobs.server import cleanup
from jobs.server.quarantine import LIMIT, Quarantine
from jobs.system.process_identity import ProcessIdentity
from jobs.types import Probe, State
from tests.support.jobs import manifest

Fill = Callable[[int], None]


def test_a_worker_is_held_after_failing_at_what_others_complete() -> None:
    quarantine = Quarantine()
    for job in range(LIMIT):
        quarantine.failed("bad", job)
        quarantine.failed("good", job)
        assert not quarantine.holds("bad")
        quarantine.done("good", job)
    assert quarantine.holds("bad")
    assert not quarantine.holds("good")
    quarantine.forget("bad")
    assert not quarantine.holds("bad")


def test_one_success_makes_a_worker_good_again() -> None:
    quarantine = Quarantine()
    for job in range(3 * LIMIT):
        quarantine.failed("w", job)
        quarantine.done("other", job)
        quarantine.done("w", 100 + job)
    assert not quarantine.holds("w")


@pytest.mark.parametrize(
    ("live", "tried", "losses"), [(1, ["a"], 3), (2, ["a", "b"], 3), (2, ["a"], 6)]
)
def test_a_job_is_poison_when_more_than_one_machine_has_tried(
    ledger: Ledger, fill: Fill, live: int, tried: list[str], losses: int
) -> None:
    fill(1)
    for host in tried:
        ledger.register(host, ProcessIdentity(host, 1, "b"))
    for attempt in range(1, losses + 1):
        worker = tried[attempt % len(tried)]
        (job,) = ledger.claim(worker, f"r{attempt}", 1)
        state = ledger.take_back(job.id, job.token, blame=True, why="expired", hosts=live)
        assert state is (State.POISON if attempt == losses else State.READY)


def watch(folder: Path, *names: str, **settings: Any) -> Storage:
    settings = {"every_s": 0.05, "patience_s": 0.5, **settings}
    folders = [str(folder / name) for name in names or ("out",)]
    return Storage(
        lambda points: Places(folders, points=points), ledger=folder / "x.ledger", **settings
    )


def test_workers_find_the_probe_of_their_server_only(tmp_path: Path) -> None:
    watched = watch(tmp_path)
    assert watched.probe is not None
    assert storage_probe.find(watched.probe) == ""
    assert "another server's" in storage_probe.find(Probe(watched.probe.path, "other"))
    assert "mount" in storage_probe.find(Probe(str(tmp_path / "none"), "x"))
    watched.stop()
    assert list((tmp_path / "out").iterdir()) == []


def test_storage_fails_and_works_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = watch(tmp_path)
    chores: list[int] = []
    thread = threading.Thread(target=watched.run, args=(lambda: chores.append(1),))
    thread.start()
    assert watched.check() == ""
    with monkeypatch.context() as context:
        context.setattr(storage_probe, "MIN_FREE_BYTES", 1 << 60)
        assert "No space left" in watched.check()
    assert watched.check() == ""
    hang = threading.Event()
    with monkeypatch.context() as context:
        real = os.statvfs
        context.setattr(
            "jobs.outputs.storage_probe.os.statvfs", lambda path: (hang.wait(), real(path))[1]
        )
        assert "no answer" in watched.check()
    hang.set()
    watched.stop()
    thread.join()
    assert chores


def test_no_jobs_no_probe(tmp_path: Path) -> None:
    watched = Storage(lambda points: Places(), ledger=tmp_path / "x", every_s=1, patience_s=0.1)
    assert (watched.probe, watched.check(), watched.error) == (None, "", "")


def test_part_files_of_ended_leases_are_removed(ledger: Ledger, fill: Fill, tmp_path: Path) -> None:
    fill(3)
    given_up, running, released = ledger.claim("w", "r", 3)
    uid = ledger.store.uid
    jobs = (given_up, running, released)
    parts = [Path(part_name(job.spec.dests["csv"], job.id, 1, uid)) for job in jobs]
    for part in parts:
        part.touch()
    ledger.fail(given_up.id, 1, "w", kind="input", text="broken")
    ledger.take_back(released.id, 1, blame=False, why="released")
    assert cleanup.remove_part_files(ledger, age_s=60) == 0
    time.sleep(0.01)
    assert cleanup.remove_part_files(ledger, age_s=0) == 2
    assert [part.exists() for part in parts] == [False, True, False]
    assert cleanup.remove_part_files(ledger, age_s=0) == 0


def test_operations(ledger: Ledger, fill: Fill, tmp_path: Path) -> None:
    fill(3)
    done, failed, leased = ledger.claim("w", "r", 3)
    files = manifest(tmp_path / "2.csv", b"x")
    ledger.prepare(done.id, 1, "w", files)
    ledger.published(done.id, 1, "w", options_digest="opts")
    ledger.fail(failed.id, 1, "w", kind="input", text="broken")
    assert operations.cancel(ledger, [1, 2, 3]) == [2, 3]
    assert not ledger.prepare(leased.id, 1, "w", files)
    assert operations.retry(ledger, [1, 2, 3]) == [2, 3]
    assert [what for _, what, _ in ledger.store.read(lambda db: list(operations.faults(db)))] == [
        "missing"
    ]
    assert operations.redo(ledger, [(1, 9, "missing")]) == []
    assert operations.redo(ledger, [(1, 1, "missing")]) == [1]
    assert ledger.store.read(queries.counts) == {"ready": 3}
    names = ["2", str(tmp_path / "2.csv"), str(tmp_path / "4.mp4"), "nothing"]
    assert ledger.store.read(lambda db: operations.find(db, names)) == ([2, 1, 3], ["nothing"])
