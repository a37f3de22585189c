"""Jobs that are divided: in the ledger, and by a real server and real workers."""

import argparse
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from joblist.shard import Shard
from jobs.commands._target import Target
from jobs.commands.cancel import ALL
from jobs.errors import LedgerRefused
from jobs.ledger import operations, queries, schema, shards
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.server import cleanup
from jobs.types import Job, Lease, State
from tests.support.jobs import manifest, specs
from tests.support.processes import until
from tests.support.servers import Server, serving, working

WAIT_S = 90
THREE = [Shard(n, 3) for n in range(3)]


@pytest.fixture
def ledger(store: Store, tmp_path: Path) -> Ledger:
    """Two jobs, each to be divided into three."""
    opened = Ledger(store, shards=THREE)
    import_jobs(opened, specs(tmp_path, 2), options_digest="opts")
    return opened


def claim(ledger: Ledger, request: str, worker: str = "w") -> Job:
    (job,) = ledger.claim(worker, request, 1)
    return job


def finish(ledger: Ledger, job: Job) -> None:
    assert ledger.prepare(job.id, job.token, "w", manifest(Path(job.spec.dests["csv"])))
    assert ledger.published(job.id, job.token, "w", options_digest="opts")


def job_of(ledger: Ledger, number: int) -> Job:
    return ledger.store.read(lambda db: queries.job(db, number))


def counts(ledger: Ledger) -> dict[str, int]:
    return ledger.store.read(queries.counts)


def test_shards_are_handed_out_one_by_one_and_then_put_together(ledger: Ledger) -> None:
    parts = [claim(ledger, f"r{n}") for n in range(3)]
    assert [(p.parent, p.shard) for p in parts] == [(1, shard) for shard in THREE]
    assert counts(ledger) == {"ready": 1, "sharded": 1}
    finish(ledger, parts[0])
    assert ledger.store.read(queries.shards_done) == pytest.approx(1 / 3)
    finish(ledger, parts[2])
    assert job_of(ledger, 1).state is State.SHARDED
    finish(ledger, parts[1])
    whole = claim(ledger, "last")
    assert whole.id == 1
    assert list(shards.part_files(whole, ledger.store.uid)) == [p.spec.dests["csv"] for p in parts]
    finish(ledger, whole)
    assert counts(ledger) == {"ready": 1, "done": 1}
    query = "SELECT job, COUNT(*) FROM event WHERE what = 'done' GROUP BY job"
    done = ledger.store.read(lambda db: dict(db.execute(query).fetchall()))
    assert done == {1: 1, **{p.id: 1 for p in parts}}


def test_a_request_that_comes_twice_gets_the_same_shard(ledger: Ledger) -> None:
    assert claim(ledger, "r") == claim(ledger, "r")
    assert claim(ledger, "other").shard == THREE[1]


def test_workers_that_want_many_get_shards_and_nothing_twice(ledger: Ledger) -> None:
    many = ledger.claim("w", "r", 64)
    assert len({job.id for job in many}) == len(many) == 6


@pytest.mark.parametrize(("kind", "state"), [("input", State.FAILED), ("crash", State.POISON)])
def test_a_shard_that_fails_ends_its_job_and_the_other_shards(
    ledger: Ledger, kind: str, state: State
) -> None:
    ledger.max_attempts = 1
    bad, other = claim(ledger, "1"), claim(ledger, "2")
    ledger.fail(bad.id, bad.token, "w", kind=kind, text="no picture")
    whole = job_of(ledger, 1)
    assert whole.state is state
    assert whole.error == "shard 1 of 3: no picture"
    assert not ledger.prepare(other.id, other.token, "w", manifest(Path("/x.csv")))
    assert job_of(ledger, other.id).state is State.CANCELLED
    assert ledger.store.read(lambda db: [job.id for job in queries.each_bad(db)]) == [1]
    assert claim(ledger, "3").parent == 2


def test_a_shard_may_be_tried_again(ledger: Ledger) -> None:
    first = claim(ledger, "1")
    assert ledger.fail(first.id, first.token, "w", kind="transient", text="busy") is State.WAIT
    assert job_of(ledger, 1).state is State.SHARDED


@pytest.mark.parametrize("how", ["cancel", "unlisted", "options", "retry"])
def test_who_ends_a_division_ends_its_shards(ledger: Ledger, tmp_path: Path, how: str) -> None:
    part = claim(ledger, "1")
    if how == "cancel":
        assert operations.cancel(ledger, [1]) == [1]
    elif how == "unlisted":
        ledger.store.epoch += 1
        import_jobs(ledger, specs(tmp_path, 2)[1:], options_digest="opts")
    else:
        import_jobs(ledger, specs(tmp_path, 2), options_digest="others")
    assert job_of(ledger, part.id).state is State.CANCELLED
    expected = State.READY if how in ("options", "retry") else State.CANCELLED
    assert job_of(ledger, 1).state is expected
    if how == "retry":
        again = claim(ledger, "2")
        assert (again.parent, again.shard) == (1, THREE[0])
        assert again.id != part.id
        assert again.spec.dests != part.spec.dests


def test_an_import_of_the_same_list_leaves_shards_alone(ledger: Ledger, tmp_path: Path) -> None:
    part = claim(ledger, "1")
    import_jobs(ledger, specs(tmp_path, 2), options_digest="opts")
    finish(ledger, part)
    assert claim(ledger, "2").shard == THREE[1]


def test_parts_that_are_gone_are_made_again(ledger: Ledger) -> None:
    for n in range(3):
        finish(ledger, claim(ledger, f"r{n}"))
    whole = claim(ledger, "last")
    ledger.fail(whole.id, whole.token, "w", kind="transient", text="gone")
    assert job_of(ledger, 1).cut is None
    assert operations.retry(ledger, [1]) == [1]
    assert claim(ledger, "again").shard == THREE[0]


def test_files_of_shards_are_removed_when_their_job_has_ended(ledger: Ledger) -> None:
    for n in range(3):
        part = claim(ledger, f"r{n}")
        Path(part.spec.dests["csv"]).touch()
        finish(ledger, part)
    assert cleanup.remove_part_files(ledger, age_s=-1) == 0
    whole = claim(ledger, "last")
    finish(ledger, whole)
    assert cleanup.remove_part_files(ledger, age_s=-1) == 3


def test_shards_are_no_jobs_to_an_operator(ledger: Ledger, tmp_path: Path) -> None:
    part = claim(ledger, "1")
    find = [str(part.id), str(tmp_path / "2.mp4")]
    jobs, unknown = ledger.store.read(lambda db: operations.find(db, find))
    assert (jobs, unknown) == ([1], [str(part.id)])
    assert ledger.store.read(lambda db: list(operations.pages(db, *ALL))) == [[1, 2]]


def test_a_lease_goes_over_the_wire_with_its_shard(ledger: Ledger) -> None:
    job = claim(ledger, "1")
    lease = Lease(job.id, job.token, job.spec, {}, shard=job.shard, parts=("a", "b"))
    assert Lease.from_dict(lease.to_dict()) == lease


OLD_TABLES = """
DROP TRIGGER job_undivided; DROP TRIGGER job_added; DROP TRIGGER job_moved;
DROP INDEX job_shard; DROP INDEX job_sharded; DROP INDEX event_end; DROP INDEX job_ready;
CREATE INDEX job_ready ON job(ord, id) WHERE state = 'ready';
ALTER TABLE job DROP COLUMN parent; ALTER TABLE job DROP COLUMN shard;
ALTER TABLE job DROP COLUMN cut; ALTER TABLE job DROP COLUMN shards;
ALTER TABLE job DROP COLUMN helper; ALTER TABLE job DROP COLUMN rival;
ALTER TABLE job DROP COLUMN length;
DROP INDEX job_helper; ALTER TABLE job DROP COLUMN helper_req;
CREATE TRIGGER job_added AFTER INSERT ON job BEGIN
  INSERT INTO counter VALUES(new.state, 1) ON CONFLICT(state) DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER job_moved AFTER UPDATE OF state ON job WHEN old.state <> new.state BEGIN
  UPDATE counter SET n = n - 1 WHERE state = old.state;
  INSERT INTO counter VALUES(new.state, 1) ON CONFLICT(state) DO UPDATE SET n = n + 1;
END;
CREATE INDEX event_end ON event(id)
  WHERE what IN ('lost', 'expired', 'released', 'storage', 'wait', 'failed', 'cancelled');
UPDATE meta SET value = '2' WHERE name = 'schema';
"""


def layout(path: Path) -> set[tuple[str, str]]:
    db = schema.connect(path, readonly=True)
    objects = db.execute("SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    columns = [("column", row[1]) for row in db.execute("PRAGMA table_info(job)")]
    db.close()
    return {*objects, *columns}


def test_a_ledger_of_the_version_before_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "old.ledger"
    store = Store(path)
    ledger = Ledger(store)
    import_jobs(ledger, specs(tmp_path, 3), options_digest="opts")
    finish(ledger, claim(ledger, "r"))
    store.close()
    fresh = layout(path)
    db = sqlite3.connect(path)
    db.executescript(OLD_TABLES)
    db.close()
    assert layout(path) != fresh
    store = Store(path)
    assert layout(path) == fresh
    again = Ledger(store, shards=THREE)
    assert counts(again) == {"ready": 2, "done": 1}
    assert claim(again, "2").shard == THREE[0]
    store.close()


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> "Callable[..., Server]":
    """Starts a server that divides jobs into five."""
    stack = ExitStack()
    five = [Shard(n, 5) for n in range(5)]
    monkeypatch.setattr("tests.support.servers.Ledger", lambda store: Ledger(store, shards=five))
    yield lambda media: stack.enter_context(serving(tmp_path, media, lease_s=4.0))  # type: ignore[misc]
    stack.close()


def outputs(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").glob("[!.]*"))


def test_three_workers_share_one_job_though_one_is_killed(
    server: "Callable[..., Server]", tmp_path: Path
) -> None:
    running = server({"a": "sleep 2"})
    with ExitStack() as stack:
        workers = [stack.enter_context(working(running.uri)) for _ in range(3)]
        until(lambda: len(holders(running)) >= 2)
        (victim, *_) = [w for w in workers if w.pid in holders(running)]
        victim.kill()
        for worker in workers:
            assert worker is victim or worker.wait(WAIT_S) == 0
    assert running.counts() == {"done": 1}
    assert running.csv("a").read_text() == "csv of a.mp4\n"
    assert running.events("done") == 6
    running.service.remove_part_files(leases=0.0)
    assert outputs(tmp_path) == ["a.ass", "a.csv"]
    sums = running.store.read(lambda db: queries.statistics(db, epoch=running.store.epoch))
    assert sums["media_s"] == 2.0


def holders(server: Server) -> set[int]:
    """The processes of the workers that run a shard."""
    workers = server.service.status()["workers"]
    names = [w["name"] for w in workers if any(job["progress"] for job in w["jobs"])]
    return {int(name.split(":")[1]) for name in names}


def test_a_shard_that_cannot_be_done_stops_the_others_and_is_named(
    server: "Callable[..., Server]", tmp_path: Path
) -> None:
    started = tmp_path / "seen"
    running = server({"a": f"first {started}", "b": ""})
    with working(running.uri) as first, working(running.uri) as second:
        assert (first.wait(WAIT_S), second.wait(WAIT_S)) == (0, 0)
    assert running.counts() == {"failed": 1, "done": 1}
    error = running.job(1).error or ""
    assert error.startswith("shard ")
    assert error.endswith("of 5: cannot be read")
    running.service.remove_part_files(leases=0.0)
    assert outputs(tmp_path) == ["b.ass", "b.csv"]


def test_parts_that_disappear_are_done_again(
    server: "Callable[..., Server]", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.ledger.ledger.backoff", lambda fails: 0.1)
    running = server({"a": f"lose {tmp_path / 'out'} {tmp_path / 'once'}"})
    with working(running.uri) as worker:
        assert worker.wait(WAIT_S) == 0
    assert running.counts() == {"done": 1}
    assert running.events("divided") == 2
    running.service.remove_part_files(leases=0.0)
    assert outputs(tmp_path) == ["a.ass", "a.csv"]


def test_a_command_says_so_when_a_ledger_is_of_another_version(tmp_path: Path) -> None:
    path = tmp_path / "old.ledger"
    Store(path).close()
    db = sqlite3.connect(path)
    db.executescript(OLD_TABLES)
    db.close()
    with pytest.raises(LedgerRefused, match="another version"):
        Target(argparse.Namespace(ledger=path)).read(queries.counts)
