"""Transitions of jobs: who may change what, and what is counted."""

import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs.errors import LedgerRefused, LedgerUnavailable
from jobs.ledger import queries, schema
from jobs.ledger.ledger import CLAIM, PROMOTE, Ledger
from jobs.ledger.store import Store
from jobs.types import Job, State
from tests.support.jobs import Clock, manifest
from tests.support.processes import until

Fill = Callable[[int], None]


def claim(ledger: Ledger, request: str = "r1", worker: str = "w") -> Job:
    (job,) = ledger.claim(worker, request, 1)
    return job


def look(ledger: Ledger, number: int) -> Job:
    return ledger.store.read(lambda db: queries.job(db, number))


def events(ledger: Ledger, what: str) -> int:
    query = "SELECT COUNT(*) FROM event WHERE what = ?"
    return ledger.store.read(lambda db: int(db.execute(query, (what,)).fetchone()[0]))


def test_claims_in_the_order_of_the_joblist(ledger: Ledger, fill: Fill) -> None:
    fill(3)
    lines = [job.spec.source_path for job in ledger.claim("w", "r", 3)]
    assert lines == sorted(lines)
    assert ledger.claim("w", "other", 1) == []


def test_each_claim_has_a_higher_token(ledger: Ledger, fill: Fill) -> None:
    fill(1)
    first = claim(ledger, "r1")
    ledger.take_back(first.id, first.token, blame=False, why="released")
    second = claim(ledger, "r2")
    assert (first.token, second.token) == (1, 2)


def test_a_repeated_request_gets_the_same_job(ledger: Ledger, fill: Fill) -> None:
    fill(2)
    assert claim(ledger, "r1") == claim(ledger, "r1")
    assert queries.counts(ledger.store._db) == {"ready": 1, "leased": 1}


def test_a_late_repetition_of_a_request_claims_nothing(ledger: Ledger, fill: Fill) -> None:
    fill(2)
    job = claim(ledger, "r1")
    ledger.fail(job.id, job.token, "w", kind="input", text="broken")
    assert ledger.claim("w", "r1", 1) == []


def test_done_once_however_often_it_is_said(ledger: Ledger, fill: Fill, tmp_path: Path) -> None:
    fill(1)
    job = claim(ledger)
    files = manifest(tmp_path / "x.csv")
    assert ledger.prepare(job.id, job.token, "w", files)
    assert ledger.prepare(job.id, job.token, "w", files)
    assert ledger.published(job.id, job.token, "w", options_digest="opts")
    assert ledger.published(job.id, job.token, "w", options_digest="opts")
    assert look(ledger, job.id).state is State.DONE
    assert events(ledger, "done") == 1


def test_a_stale_token_changes_nothing(ledger: Ledger, fill: Fill, tmp_path: Path) -> None:
    fill(1)
    old = claim(ledger, "r1", "zombie")
    ledger.take_back(old.id, old.token, blame=False, why="expired")
    files = manifest(tmp_path / "x.csv")
    assert not ledger.prepare(old.id, old.token, "zombie", files)
    claim(ledger, "r2", "heir")
    assert not ledger.prepare(old.id, old.token, "zombie", files)
    assert not ledger.published(old.id, old.token, "zombie", options_digest="opts")
    assert ledger.fail(old.id, old.token, "zombie", kind="bug", text="late") is None
    assert ledger.take_back(old.id, old.token, blame=True, why="expired") is None
    assert look(ledger, old.id).worker == "heir"


def test_another_manifest_under_the_winning_token_is_refused(
    ledger: Ledger, fill: Fill, tmp_path: Path
) -> None:
    fill(1)
    job = claim(ledger)
    assert ledger.prepare(job.id, job.token, "w", manifest(tmp_path / "x.csv"))
    assert not ledger.prepare(job.id, job.token, "w", manifest(tmp_path / "x.csv", b"other"))


def test_an_unknown_job_is_stale(ledger: Ledger, tmp_path: Path) -> None:
    assert not ledger.prepare(99, 1, "w", manifest(tmp_path / "x.csv"))


@pytest.mark.parametrize(
    ("kind", "runs"), [("input", 1), ("bug", 2), ("transient", 3), ("resource", 3)]
)
def test_failures_are_retried_by_kind(
    ledger: Ledger, fill: Fill, clock: Clock, kind: str, runs: int
) -> None:
    fill(1)
    for attempt in range(1, runs + 1):
        job = claim(ledger, f"r{attempt}")
        state = ledger.fail(job.id, job.token, "w", kind=kind, text="why")
        assert state is (State.FAILED if attempt == runs else State.WAIT)
        clock.now += 3600
        ledger.promote()
    assert look(ledger, job.id).error == "why"


def test_a_waiting_job_is_ready_when_it_is_due(ledger: Ledger, fill: Fill, clock: Clock) -> None:
    fill(1)
    job = claim(ledger)
    ledger.fail(job.id, job.token, "w", kind="transient", text="flaky")
    wait_s = ledger.next_due_s()
    assert wait_s is not None
    assert 0 <= wait_s <= 30
    assert ledger.promote() == 0
    clock.now += wait_s
    assert ledger.promote() == 1


def test_a_wait_written_by_a_clock_in_the_future_is_shortened(
    ledger: Ledger, fill: Fill, clock: Clock
) -> None:
    fill(1)
    job = claim(ledger)
    clock.now += 3 * 86400
    ledger.fail(job.id, job.token, "w", kind="transient", text="flaky")
    clock.now -= 3 * 86400
    wait_s = Ledger(ledger.store, clock=clock).next_due_s()
    assert wait_s is not None
    assert wait_s <= 3600


@pytest.mark.parametrize("how", ["crash", "expired"])
def test_a_job_that_costs_three_leases_is_poison(ledger: Ledger, fill: Fill, how: str) -> None:
    fill(1)
    for attempt in (1, 2, 3):
        job = claim(ledger, f"r{attempt}")
        if how == "crash":
            state = ledger.fail(job.id, job.token, "w", kind="crash", text="SIGSEGV")
        else:
            state = ledger.take_back(job.id, job.token, blame=True, why="expired")
        assert state is (State.POISON if attempt == 3 else State.READY)


def test_a_lease_lost_without_blame_is_never_poison(ledger: Ledger, fill: Fill) -> None:
    fill(1)
    for attempt in range(10):
        job = claim(ledger, f"r{attempt}")
        state = ledger.take_back(job.id, job.token, blame=False, why="released")
        assert state is State.READY


def test_a_fixed_winner_is_adopted_with_its_token(
    ledger: Ledger, fill: Fill, tmp_path: Path
) -> None:
    fill(1)
    job = claim(ledger)
    ledger.prepare(job.id, job.token, "w", manifest(tmp_path / "x.csv"))
    assert ledger.take_back(job.id, job.token, blame=True, why="expired") is None
    adopted = ledger.adopt(job.id, "heir")
    assert adopted is not None
    assert (adopted.token, adopted.worker) == (job.token, "heir")
    assert ledger.published(job.id, job.token, "heir", options_digest="opts")
    assert ledger.adopt(job.id, "late") is None


def test_statistics_are_summed_over_this_run(ledger: Ledger, fill: Fill, tmp_path: Path) -> None:
    fill(2)
    for job in ledger.claim("w", "r", 2):
        ledger.prepare(job.id, job.token, "w", manifest(tmp_path / "x.csv"))
        ledger.published(job.id, job.token, "w", options_digest="opts")
    epoch = ledger.store.epoch
    sums = ledger.store.read(lambda db: queries.statistics(db, epoch=epoch))
    assert sums == {"media_s": 4.0, "persons": 2}
    assert ledger.store.read(lambda db: queries.statistics(db, epoch=epoch + 1)) == {}


@pytest.mark.parametrize("change", ["UPDATE event SET what = 'x'", "DELETE FROM event"])
def test_events_are_append_only(ledger: Ledger, fill: Fill, change: str) -> None:
    fill(1)
    with (
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
        ledger.store.transaction() as db,
    ):
        db.execute(change)


@pytest.mark.parametrize(
    ("query", "values", "index"),
    [
        (CLAIM, ("w", "r", 1), "job_ready"),
        (PROMOTE, (0.0,), "job_wait"),
    ],
)
def test_no_query_of_the_loop_scans_or_sorts(
    ledger: Ledger, query: str, values: tuple[object, ...], index: str
) -> None:
    rows = ledger.store._db.execute(f"EXPLAIN QUERY PLAN {query}", values).fetchall()
    plan = " | ".join(row[3] for row in rows)
    assert index in plan
    assert "TEMP B-TREE" not in plan
    assert "SCAN job\n" not in plan + "\n"


def test_every_index_on_the_state_is_partial(ledger: Ledger) -> None:
    rows = ledger.store._db.execute("SELECT sql FROM sqlite_master WHERE type = 'index'")
    indexes = [sql for (sql,) in rows if sql]
    assert indexes
    assert all("WHERE" in sql for sql in indexes)


def test_acknowledged_means_on_the_disk(ledger: Ledger) -> None:
    assert ledger.store._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert ledger.store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def claim_until_full(ledger: Ledger) -> None:
    for n in range(50):
        ledger.claim("w" * 2000, f"r{n}", 1)


def test_a_full_disk_changes_nothing_and_recovers(ledger: Ledger, fill: Fill) -> None:
    fill(50)
    db = ledger.store._db
    (pages,) = db.execute("PRAGMA page_count").fetchone()
    db.execute(f"PRAGMA max_page_count = {pages}")
    before = ledger.store.read(queries.counts)
    with pytest.raises(LedgerUnavailable, match="full"):
        claim_until_full(ledger)
    db.execute("PRAGMA max_page_count = 100000")
    assert claim(ledger, "again").state is State.LEASED
    assert sum(ledger.store.read(queries.counts).values()) == sum(before.values())
    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_second_server_is_refused(store: Store) -> None:
    with pytest.raises(LedgerRefused, match="another server"):
        Store(store.path)


def test_each_opening_is_an_epoch(tmp_path: Path) -> None:
    for epoch in (1, 2, 3):
        opened = Store(tmp_path / "x.ledger")
        assert opened.epoch == epoch
        opened.close()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    path.write_text("a joblist, given as a ledger by mistake\n" * 100)
    with pytest.raises(LedgerRefused, match="not a ledger"):
        Store(path)
    assert path.read_text().startswith("a joblist")


def test_tables_of_another_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.ledger"
    Store(path).close()
    db = schema.connect(path)
    db.execute("UPDATE meta SET value = '99' WHERE name = 'schema'")
    db.close()
    with pytest.raises(LedgerRefused, match="another version"):
        Store(path)


def test_transactions_that_come_together_share_a_commit(ledger: Ledger, fill: Fill) -> None:
    fill(40)
    commits: list[str] = []
    ledger.store._db.set_trace_callback(
        lambda text: commits.append(text) if text == "COMMIT" else None
    )
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda n: ledger.claim("w", f"r{n}", 1), range(40)))
    assert len({job.id for jobs in claims for job in jobs}) == 40
    assert len(commits) < 40


def test_one_failure_in_a_batch_takes_nothing_from_the_others(ledger: Ledger, fill: Fill) -> None:
    fill(40)

    def go(n: int) -> int:
        if n % 2:
            return len(ledger.claim("w", f"r{n}", 1))
        with contextlib.suppress(ZeroDivisionError), ledger.store.transaction() as db:
            db.execute("UPDATE job SET state = 'failed'")
            raise ZeroDivisionError
        return 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(go, range(40))) == 20
    assert ledger.store.read(queries.counts) == {"leased": 20, "ready": 20}


def test_nothing_is_acknowledged_when_the_shared_commit_fails(ledger: Ledger, fill: Fill) -> None:
    fill(8)
    barrier = threading.Barrier(2)

    def first() -> None:
        with ledger.store.transaction() as db:
            barrier.wait()
            until(lambda: ledger.store._waiting_count)
            db.execute("UPDATE job SET state = 'failed'")

    def second() -> None:
        barrier.wait()
        with ledger.store.transaction() as db:
            db.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

    with ThreadPoolExecutor(2) as pool:
        errors = [task.exception() for task in (pool.submit(first), pool.submit(second))]
    assert all(isinstance(error, LedgerUnavailable) for error in errors)
    assert ledger.store.read(queries.counts) == {"ready": 8}
