"""A ledger opens whatever stands in it; what cannot be read is put aside and named."""

import json
import logging
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from joblist.shard import Shard
from jobs.ledger import operations, queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.server.service import JobService
from jobs.types import Job, Manifest
from tests.support.jobs import JSON, manifest, specs
from tests.support.servers import Server, opened, serving, working, write_media

MEDIA = dict.fromkeys("abc", "")


def bad_jobs(store: Store) -> list[Job]:
    return store.read(lambda db: [*queries.each_bad(db)])


def alter(path: Path, query: str, *values: Any) -> None:
    """Write into a ledger as a damaged disk or a careless hand does."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(query, values)
    db.close()


class Opened:
    """A ledger and its service, without sockets."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder / "jobs.ledger")
        self.ledger = Ledger(self.store)
        self.imported = import_jobs(self.ledger, write_media(folder, MEDIA), options_digest="opts")
        self.service = JobService(self.ledger, options={}, options_digest="opts")

    def job(self, number: int) -> Job:
        return self.store.read(lambda db: queries.job(db, number))

    def counts(self) -> dict[str, int]:
        return self.store.read(queries.counts)

    def close(self) -> None:
        self.service.storage.stop()
        self.store.close()


def opening(folder: Path) -> closing[Opened]:
    return closing(Opened(folder))


def ran(folder: Path) -> None:
    """Leave a ledger with a done, a publishing and a ready job."""
    with opening(folder) as server:
        for job in server.ledger.claim("w", "r", 2):
            csv = Path(job.spec.dests["csv"])
            csv.parent.mkdir(exist_ok=True)
            csv.touch()
            assert server.ledger.prepare(job.id, job.token, "w", manifest(csv))
        assert server.ledger.published(1, 1, "w", options_digest="opts")


HEALED = ("spec", "opts")
"""Columns that the joblist, read anew, puts right."""
DAMAGES = {
    "spec that is no JSON": ("spec", "{"),
    "spec of another shape": ("spec", '["a"]'),
    "spec without a csv": ("spec", '{"source_path": "/a.mp4", "dests": {}}'),
    "spec of numbers": ("spec", 17),
    "spec that is no text": ("spec", b"\xff\xfe"),
    "deep spec": ("spec", "[" * 5000),
    "manifest that is no JSON": ("manifest", "{"),
    "manifest of files that are a text": ("manifest", '{"files": "x"}'),
    "manifest of files that are texts": (
        "manifest",
        '{"files": {"csv": "x"}, "statistics": {}}',
    ),
    "manifest of a file without a size": (
        "manifest",
        '{"files": {"csv": {"part": "p", "path": "/x", "sha256": "0"}}, "statistics": {}}',
    ),
    "unknown state": ("state", "dreaming"),
    "state of bytes": ("state", b"\xff"),
    "token of letters": ("token", "seven"),
    "token below nothing": ("token", -5),
    "token that cannot grow": ("token", 2**63 - 1),
    "attempts of letters": ("attempts", "some"),
    "due of letters": ("due", "tomorrow"),
    "length of letters": ("length", "long"),
    "worker of numbers": ("worker", b"\xff\xff"),
    "shard of letters": ("shard", "one"),
    "shard beyond the last": ("shard", '{"number": 7, "count": 2}'),
    "lines of letters": ("ord", "x"),
    "import of letters": ("listed", "x"),
}


@pytest.mark.parametrize("job", [1, 2, 3])
@pytest.mark.parametrize("name", DAMAGES)
def test_a_row_that_cannot_be_read_is_put_aside(
    tmp_path: Path, name: str, job: int, caplog: pytest.LogCaptureFixture
) -> None:
    ran(tmp_path)
    column, value = DAMAGES[name]
    alter(tmp_path / "jobs.ledger", f"UPDATE job SET {column} = ? WHERE id = ?", value, job)
    with caplog.at_level(logging.WARNING), opening(tmp_path) as server:
        bad = server.job(job)
        lines = [record.getMessage() for record in caplog.records]
        assert lines[0].startswith(f"job {job} is put aside: its row in the ledger cannot be read")
        assert column in lines[0]
        assert server.imported.unreadable == 1
        # The joblist says anew what the job is; what only the ledger knew is lost.
        assert bad.state.value == ("ready" if column in HEALED else "failed")
        if column not in HEALED:
            assert bad.error_kind == "ledger"
            assert "cannot be read" in (bad.error or "")
        (kept,) = server.store.read(
            lambda db: db.execute(
                "SELECT detail FROM event WHERE what = 'unreadable' AND job = ?", (job,)
            ).fetchone()
        )
        assert f"{column} = " in kept
        assert sum(server.counts().values()) == 3
        assert server.service.status()["counts"]
        server.service.tick()
        server.service.remove_part_files(leases=0.0)
        operations.retry(server.ledger, [job])
        assert server.job(job).state.value == "ready"


STRAYS = {
    "a number below one": "UPDATE job SET id = -1 WHERE id = 2",
    "the number nought": "UPDATE job SET id = 0 WHERE id = 3",
    "a shard of a job that is not there": "UPDATE job SET parent = 99 WHERE id = 3",
    "a shard of itself": "UPDATE job SET parent = 3, cut = 1 WHERE id = 3",
    "a shard of a job that is not divided": "UPDATE job SET parent = 1, cut = 1, "
    """shard = '{"number": 0, "count": 1}' WHERE id = 3""",
    "a division without shards": "UPDATE job SET state = 'sharded', cut = 1, shards = 2 "
    "WHERE id = 3",
    "a division without a number": "UPDATE job SET state = 'sharded' WHERE id = 3",
}


@pytest.mark.parametrize("name", STRAYS)
def test_no_run_waits_for_a_row_that_no_job_has(tmp_path: Path, name: str) -> None:
    with opening(tmp_path):
        pass
    alter(tmp_path / "jobs.ledger", STRAYS[name])
    with serving(tmp_path, MEDIA) as server, working(server.uri) as worker:
        assert worker.wait(60) == 0
        assert server.counts() == {"done": 3}
    with opening(tmp_path) as server:
        assert server.counts() == {"skipped": 3}


def test_what_was_put_aside_can_be_read_from_the_event(tmp_path: Path) -> None:
    ran(tmp_path)
    text = '{"files": "x", "note": "täglich"}'
    alter(tmp_path / "jobs.ledger", "UPDATE job SET manifest = ? WHERE id = 1", text)
    with opening(tmp_path) as server:
        query = "SELECT detail FROM event WHERE what = 'unreadable'"
        (kept,) = server.store.read(lambda db: db.execute(query).fetchone())
        literal = kept.removeprefix("manifest = ")
        (again,) = server.store.read(
            lambda db: db.execute(f"SELECT CAST({literal} AS TEXT)").fetchone()
        )
    assert again == text


def test_manifests_of_other_versions_are_read_as_far_as_they_go() -> None:
    plain = manifest(Path("/x.csv"))
    files: Any = plain["files"]
    later = {**plain, "made_by": 2, "files": {"csv": {**files["csv"], "mode": 0o644}}}
    assert Manifest.from_dict(later) == Manifest.from_dict(plain)
    earlier = {"files": files}
    assert Manifest.from_dict(earlier).statistics == {}


def test_a_shard_that_cannot_be_read_fails_with_its_job(tmp_path: Path) -> None:
    path = tmp_path / "jobs.ledger"
    store = Store(path)
    ledger = Ledger(store, shards=[Shard(0, 2), Shard(1, 2)])
    import_jobs(ledger, specs(tmp_path, 1), options_digest="o")
    ledger.claim("w", "r", 1)
    store.close()
    alter(path, "UPDATE job SET spec = '[' WHERE id = 3")
    store = Store(path)
    ledger = Ledger(store)
    imported = import_jobs(ledger, specs(tmp_path, 1), options_digest="o")
    assert imported.unreadable == 1
    job = store.read(lambda db: queries.job(db, 1))
    assert (job.state.value, job.error_kind) == ("failed", "ledger")
    store.close()


def test_a_row_that_turns_bad_later_is_put_aside_when_it_is_claimed(
    ledger: Ledger, fill: Any, tmp_path: Path
) -> None:
    fill(3)
    alter(ledger.store.path, "UPDATE job SET spec = json_set(spec, '$.odd', 1) WHERE id < 3")
    (job,) = ledger.claim("w", "r", 1)
    assert job.id == 3
    bad = bad_jobs(ledger.store)
    assert [(job.id, job.error_kind) for job in bad] == [(1, "ledger"), (2, "ledger")]
    assert ledger.claim("w", "r2", 1) == []


def test_a_winner_with_an_unreadable_manifest_is_not_adopted(
    ledger: Ledger, fill: Any, tmp_path: Path
) -> None:
    fill(1)
    (job,) = ledger.claim("w", "r", 1)
    assert ledger.prepare(1, job.token, "w", manifest(tmp_path / "x.csv"))
    alter(ledger.store.path, 'UPDATE job SET manifest = \'{"files": {"csv": 1}}\'')
    assert ledger.adopt(1, "heir") is None
    assert [bad.error_kind for bad in bad_jobs(ledger.store)] == ["ledger"]


@pytest.mark.parametrize("pid", [2**40, -1, 0, "x", 1.5, b"\xff"])
def test_workers_that_no_process_can_be_are_forgotten(tmp_path: Path, pid: Any) -> None:
    with opening(tmp_path) as server:
        server.ledger.claim("w", "r", 1)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    alter(
        tmp_path / "jobs.ledger",
        "INSERT INTO worker VALUES('w', ?, ?, ?)",
        socket.gethostname(),
        pid,
        boot,
    )
    with opening(tmp_path) as server:
        assert server.counts() == {"leased": 1, "ready": 2}
        query = "SELECT detail FROM event WHERE what = 'unreadable'"
        ((kept,),) = server.store.read(lambda db: db.execute(query).fetchall())
        assert kept.startswith("worker = X'77', ")


@pytest.mark.parametrize("column", ["spec", "manifest", "worker", "err", "opts", "state"])
def test_texts_that_are_not_utf8_are_put_aside(tmp_path: Path, column: str) -> None:
    ran(tmp_path)
    alter(
        tmp_path / "jobs.ledger",
        f"UPDATE job SET {column} = CAST(? AS TEXT) WHERE id = 2",
        b'{"source_path": "\xff", "dests": {"csv": "x"}, "files": {}, "statistics": {}}',
    )
    with opening(tmp_path) as server:
        assert server.imported.unreadable == 1
        assert server.job(2).state.value == ("ready" if column in HEALED else "failed")


def test_workers_and_settings_that_are_not_utf8_are_forgotten(tmp_path: Path) -> None:
    ran(tmp_path)
    path = tmp_path / "jobs.ledger"
    alter(path, "INSERT INTO worker VALUES('w', CAST(? AS TEXT), 1, 'b')", b"\xff")
    alter(path, "UPDATE meta SET value = CAST(? AS TEXT) WHERE name = 'epoch'", b"\xff")
    alter(
        path,
        "INSERT INTO event(t_wall, job, token, what, detail)"
        " VALUES(0, 1, 1, 'lost', CAST(? AS TEXT))",
        b"\xff",
    )
    with opening(tmp_path) as server:
        assert server.store.epoch == 2
        assert server.store.read(lambda db: queries.worker(db, "w")) is None
        server.service.remove_part_files(leases=0.0)


METAS = [
    ("epoch", "many"),
    ("epoch", "9" * 40),
    ("epoch", b"\xff"),
    ("collected", "x"),
    ("collected", "-1"),
    ("uid", b"\xff"),
    ("uid", "../x"),
    *(
        (name, value)
        for name in ("mounts", "folder")
        for value in ("x", "", "null", b"\xff", 5, "[" * 5000, "[{}]", "{}", "[]", '["\\u0000"]')
    ),
    ("ended", "perhaps"),
    ("schema", "newest"),
    ("schema", b"\x05"),
]


@pytest.mark.parametrize(("name", "value"), METAS)
def test_settings_that_cannot_be_read_are_made_anew(tmp_path: Path, name: str, value: Any) -> None:
    with opening(tmp_path) as server:
        before = server.store.epoch
    path = tmp_path / "jobs.ledger"
    alter(path, "INSERT OR REPLACE INTO meta VALUES(?, ?)", name, value)
    with opening(tmp_path) as server:
        assert server.store.epoch == before + 1
        server.service.remove_part_files(leases=0.0)
        assert len(server.ledger.claim("w", "r", 3)) == 3


@pytest.mark.parametrize("n", ["many", -3])
def test_counts_that_cannot_be_right_are_made_anew(tmp_path: Path, n: Any) -> None:
    with opening(tmp_path):
        pass
    alter(tmp_path / "jobs.ledger", "UPDATE counter SET n = ?", n)
    alter(tmp_path / "jobs.ledger", "INSERT INTO counter VALUES('dreaming', 5)")
    with opening(tmp_path) as server:
        assert server.counts() == {"ready": 3}


def test_odd_events_end_nothing(tmp_path: Path) -> None:
    with serving(tmp_path, MEDIA) as server:
        for what in ("lost", "undivided", "done", "released"):
            for values in (("x", 1, "y", "z"), (0, None, 1, "z"), (0, 1, 2.5, b"\xff")):
                alter(
                    server.store.path,
                    "INSERT INTO event(t_wall, job, token, detail, what) VALUES(?, ?, ?, ?, ?)",
                    *values,
                    what,
                )
    with serving(tmp_path, MEDIA) as server:
        server.service.remove_part_files(leases=0.0)
        assert shown(server)["groups"]["to do"] == 3


def shown(server: Server) -> Any:
    page = opened(server)
    try:
        return page._board.status()
    finally:
        page.close()


def test_a_server_on_a_damaged_ledger_does_the_rest(tmp_path: Path) -> None:
    ran(tmp_path)
    path = tmp_path / "jobs.ledger"
    alter(path, 'UPDATE job SET manifest = \'{"files": "x"}\' WHERE id = 2')
    with serving(tmp_path, MEDIA) as server, working(server.uri) as worker:
        assert worker.wait(60) == 0
        assert server.counts() == {"skipped": 1, "failed": 1, "done": 1}


@settings(
    max_examples=80,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    column=st.sampled_from(sorted({column for column, _ in DAMAGES.values()})),
    value=JSON.map(json.dumps) | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=9),
    job=st.integers(1, 3),
)
def test_whatever_stands_in_a_row_the_ledger_opens(
    tmp_path_factory: pytest.TempPathFactory, column: str, value: Any, job: int
) -> None:
    folder = tmp_path_factory.mktemp("odd")
    store = Store(folder / "jobs.ledger")
    ledger = Ledger(store)
    import_jobs(ledger, specs(folder, 3), options_digest="o")
    first, _ = ledger.claim("w", "r", 2)
    ledger.prepare(first.id, first.token, "w", manifest(folder / "x.csv"))
    store.close()
    alter(store.path, f"UPDATE OR IGNORE job SET {column} = ? WHERE id = ?", value, job)
    store = Store(store.path)
    ledger = Ledger(store)
    import_jobs(ledger, specs(folder, 3), options_digest="o")
    assert sum(store.read(queries.counts).values()) == 3
    assert (
        len([*store.read(queries.outstanding), *store.read(lambda db: [*queries.each_bad(db)])])
        <= 3
    )
    ledger.claim("w", "r2", 3)
    store.read(lambda db: list(queries.completed(db)))
    store.close()
