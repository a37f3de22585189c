"""Storage that is away for a while, from all: jobs go back without blame, and are done later."""

import os
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from joblist.model import JobSpec
from jobs.ledger.imports import import_jobs
from tests.support.processes import until
from tests.support.servers import Server, serving, working


def blamed(server: Server) -> tuple[int, int]:
    """The greatest number of lost leases, and of failures, of any job."""

    def query(db: sqlite3.Connection) -> tuple[int, int]:
        return db.execute("SELECT MAX(lost), MAX(fails) FROM job").fetchone()  # type: ignore[no-any-return]

    return server.store.read(query)


def move_media(server: Server, folder: Path) -> None:
    """Have all media in a folder of their own."""
    folder.mkdir(parents=True)
    specs = []
    for source in sorted(server.folder.glob("*.mp4")):
        source.rename(folder / source.name)
        dests = {"csv": str(server.folder / "out" / f"{source.stem}.csv")}
        specs.append(JobSpec(source_path=str(folder / source.name), dests=dests))
    import_jobs(server.ledger, specs, options_digest="opts")


@pytest.mark.parametrize("what", ["films", "out"])
def test_a_folder_that_is_away_for_a_while_costs_no_job_anything(tmp_path: Path, what: str) -> None:
    media = {f"m{n}": "sleep 0.2" for n in range(8)}
    with serving(tmp_path, media, lease_s=2.0) as server, ExitStack() as stack:
        move_media(server, tmp_path / "films")
        workers = [stack.enter_context(working(server.uri)) for _ in range(2)]
        until(lambda: server.counts().get("done", 0) >= 2)
        (tmp_path / what).rename(tmp_path / "away")
        until(lambda: server.events("storage") >= 1)
        time.sleep(1.0)
        (tmp_path / "away").rename(tmp_path / what)
        assert [worker.wait(60) for worker in workers] == [0, 0]
        assert server.counts() == {"done": 8}
        assert blamed(server) == (0, 0)


def test_a_medium_that_never_was_fails_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, {"a": "", "b": ""}, lease_s=2.0) as server:
        dests = {"csv": str(tmp_path / "out" / "c.csv")}
        typo = JobSpec(source_path=str(tmp_path / "fimls" / "c.mp4"), dests=dests)
        (tmp_path / "a.mp4").unlink()
        specs = [
            JobSpec(
                source_path=str(tmp_path / f"{name}.mp4"),
                dests={kind: str(tmp_path / "out" / f"{name}.{kind}") for kind in ("csv", "ass")},
            )
            for name in "ab"
        ]
        import_jobs(server.ledger, [*specs, typo], options_digest="opts")
        with working(server.uri) as worker:
            assert worker.wait(60) == 0
        jobs = [server.job(number) for number in (1, 2, 3)]
    ends = [(job.state.value, job.error_kind, job.attempts) for job in jobs]
    assert ends == [("failed", "input", 1), ("done", None, 1), ("failed", "input", 1)]
    assert "no such file: correct the joblist" in (jobs[0].error or "")
    assert "its folder is empty or not there" in (jobs[2].error or "")


def test_names_that_are_not_utf_8_are_reported(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    media = {"bad": "input cannot be read", "gone": "", "good": ""}
    with serving(folder, media, lease_s=5.0) as server:
        (folder / "gone.mp4").unlink()
        with working(server.uri) as worker:
            assert worker.wait(60) == 0
        jobs = [server.job(number) for number in (1, 2, 3)]
    assert [job.state.value for job in jobs] == ["failed", "failed", "done"]
    assert jobs[1].error == f"{tmp_path}/caf\\xe9/gone.mp4: no such file: correct the joblist"
