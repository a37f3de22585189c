"""Verbs of an operator: what they change, what they leave, and what they say of it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from joblist.errors import UsageError
from joblist.model import JobSpec
from jobs.commands import _program
from jobs.commands._portions import MAX_BYTES, in_portions
from jobs.ledger import operations, queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.outputs.part_names import part_name
from jobs.server import cleanup
from jobs.server.display import clock, results
from jobs.server.progress import describe
from jobs.types import Job, State
from tests.support.jobs import manifest, specs
from tests.support.processes import until
from tests.support.servers import serving, working


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    store = Store(folder / "jobs.ledger")
    try:
        yield Ledger(store)
    finally:
        store.close()


def finish(ledger: Ledger, n: int, *, options: str = "opts") -> None:
    """Do jobs; the outputs have no bytes, and the ledger has the digest of none."""
    for job in ledger.claim("w", f"r{ledger.store.epoch}", n):
        path = Path(job.spec.dests["csv"])
        path.write_bytes(b"")
        assert ledger.prepare(job.id, job.token, "w", manifest(path))
        assert ledger.published(job.id, job.token, "w", options_digest=options)


def read(ledger: Ledger, listed: Sequence[JobSpec], *, options: str = "opts") -> None:
    ledger.store.epoch += 1
    import_jobs(ledger, listed, options_digest=options)


def counts(ledger: Ledger) -> dict[str, int]:
    return ledger.store.read(queries.counts)


def job(ledger: Ledger, number: int) -> Job:
    return ledger.store.read(lambda db: queries.job(db, number))


def command(folder: Path, *words: str) -> int:
    return _program.main([*words, "--ledger", str(folder / "jobs.ledger")])


def test_verify_runs_nothing_again_that_is_no_longer_listed(tmp_path: Path, capsys) -> None:
    with opened(tmp_path) as ledger:
        read(ledger, specs(tmp_path, 3))
        finish(ledger, 3)
        read(ledger, specs(tmp_path, 2))
    (tmp_path / "2.csv").unlink()
    (tmp_path / "4.csv").unlink()
    (tmp_path / "3.csv").write_text("altered")
    assert command(tmp_path, "verify") == 1
    said = capsys.readouterr().out
    assert "3 jobs checked, 3 with outputs that are altered or missing" in said
    assert "2 jobs are to be done again: run the server to do them" in said
    assert "1 are no longer in the joblist: they are done again when they are" in said
    with opened(tmp_path) as ledger:
        assert counts(ledger) == {"ready": 2, "cancelled": 1}
        read(ledger, specs(tmp_path, 3))
        assert counts(ledger) == {"ready": 3}


def test_a_file_that_cannot_be_read_is_told_and_left(tmp_path: Path, capsys) -> None:
    with opened(tmp_path) as ledger:
        read(ledger, specs(tmp_path, 1))
        finish(ledger, 1)
    (tmp_path / "2.csv").unlink()
    (tmp_path / "2.csv").symlink_to("2.csv")
    assert command(tmp_path, "verify") == 1
    said = capsys.readouterr().out
    assert f"unreadable: {tmp_path / '2.csv'}: Too many levels of symbolic links" in said
    with opened(tmp_path) as ledger:
        assert "ready" not in counts(ledger)


def test_what_is_no_longer_listed_keeps_the_options_it_was_done_with(tmp_path: Path) -> None:
    with opened(tmp_path) as ledger:
        read(ledger, specs(tmp_path, 2), options="old")
        (first,) = ledger.claim("w", "r", 1)
        path = Path(first.spec.dests["csv"])
        path.write_bytes(b"")
        assert ledger.prepare(first.id, first.token, "w", manifest(path))
        read(ledger, specs(tmp_path, 2)[1:], options="new")
        assert ledger.published(first.id, first.token, "w", options_digest="new")
        assert job(ledger, first.id).state is State.DONE
        read(ledger, specs(tmp_path, 2), options="new")
        assert job(ledger, first.id).state is State.READY


def test_retry_leaves_what_is_no_longer_listed_and_says_so(tmp_path: Path, capsys) -> None:
    with opened(tmp_path) as ledger:
        read(ledger, specs(tmp_path, 3))
        for failing in ledger.claim("w", "r", 2):
            ledger.fail(failing.id, failing.token, "w", kind="input", text="broken")
        read(ledger, specs(tmp_path, 3)[1:])
    assert command(tmp_path, "retry", "--job", "1", "--job", "2", "--job", "3") == 1
    said = capsys.readouterr()
    assert said.out == "1 jobs are to be tried again\n"
    assert said.err == "2 of 3 were left: 1 no longer in the joblist, 1 ready\n"


def test_a_file_that_could_not_be_written_is_told_and_made_by_retry(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The job is done, its other files are there, and no command calls the missing one lost."""
    media = {"a": "give_up ass odd letters", "b": ""}
    with serving(tmp_path, media, keep_alive=True) as server, working(server.uri):
        until(lambda: server.counts() == {"done": 2})
        done = server.job(1)
        assert describe(done).endswith("(partial: no ass: odd letters)")
        assert [j.id for j in server.store.read(lambda db: queries.partial(db, epoch=1))] == [1]
        assert sorted(p.name for p in (tmp_path / "out").glob("[ab].*")) == [
            "a.csv",
            "b.ass",
            "b.csv",
        ]
        assert command(tmp_path, "verify") == 0
        assert command(tmp_path, "retry", "--job", "2") == 1
        (tmp_path / "a.mp4").write_text("")
        assert command(tmp_path, "retry") == 0
        assert "1 jobs are to be tried again" in capsys.readouterr().out
        until(lambda: (tmp_path / "out" / "a.ass").exists() and server.counts()["done"] == 2)
        assert describe(server.job(1)) == f"{tmp_path}/a.mp4 -> {tmp_path}/out/a.csv"
        assert command(tmp_path, "retry", "--job", "1") == 1


def test_a_job_that_is_named_twice_counts_once(tmp_path: Path, capsys) -> None:
    with opened(tmp_path) as ledger:
        read(ledger, specs(tmp_path, 2))
        finish(ledger, 1)
    names = ["2", str(tmp_path / "3.csv"), str(tmp_path / "3.mp4"), "1"]
    words = [word for name in names for word in ("--job", name)]
    assert command(tmp_path, "cancel", *words) == 1
    said = capsys.readouterr()
    assert said.out == "1 jobs are cancelled\n"
    assert said.err == "1 of 2 were left: 1 done\n"


def test_jobs_are_found_by_any_name_of_their_files(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    (tmp_path / "link").symlink_to(here)
    address = "https://example.org/films/a.mp4?x=1"
    local, linked, remote = specs(here, 3)
    linked = replace(linked, dests={"csv": str(tmp_path / "link" / "3.csv")})
    dests = {**remote.dests, "ass": str(here / "ä's.ass")}
    remote = replace(remote, source_path=address, dests=dests)
    read(ledger, [local, linked, remote])
    (here / "below").mkdir()
    monkeypatch.chdir(here / "below")
    names = ["../2.csv", "../3.csv", str(tmp_path / "link" / "2.mp4"), address, "../ä's.ass"]
    names += [str(tmp_path / "link" / "3.csv"), "9" * 30, "2.csv", "https://example.org/"]
    found = [ledger.store.read(lambda db, n=name: operations.find(db, [n])) for name in names]
    assert [jobs for jobs, _ in found] == [[1], [2], [1], [3], [3], [2], [], [], []]


def test_an_import_records_the_leases_that_it_ends(ledger: Ledger, tmp_path: Path) -> None:
    read(ledger, specs(tmp_path, 3))
    leased = ledger.claim("w", "r", 3)
    uid = ledger.store.uid
    names = (part_name(job.spec.dests["csv"], job.id, job.token, uid) for job in leased)
    parts = [Path(name) for name in names]
    for part in parts:
        part.touch()
    first, _, third = specs(tmp_path, 3)
    read(ledger, [first, replace(third, source_path="/other.mp4")])
    assert counts(ledger) == {"leased": 1, "ready": 1, "cancelled": 1}
    assert cleanup.remove_part_files(ledger, age_s=-1) == 2
    assert [part.exists() for part in parts] == [True, False, False]


def test_lengths_are_measured_anew_with_other_options(ledger: Ledger, tmp_path: Path) -> None:
    read(ledger, specs(tmp_path, 1))
    with ledger.store.transaction() as db:
        db.execute("UPDATE job SET length = 60")
    read(ledger, specs(tmp_path, 1))
    assert job(ledger, 1).length == 60
    read(ledger, specs(tmp_path, 1), options="--stop 5")
    assert job(ledger, 1).length is None


def test_a_relative_joblist_belongs_to_a_folder(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, elsewhere = tmp_path / "here", tmp_path / "else" / "where"
    here.mkdir()
    elsewhere.mkdir(parents=True)
    monkeypatch.chdir(here)
    read(ledger, specs(here, 2))
    absolute = replace(specs(here, 1)[0], dests={"csv": str(tmp_path / "9.csv")}, line=9)
    read(ledger, [*specs(here, 2), absolute])
    monkeypatch.chdir(elsewhere)
    moved = replace(absolute, source_path=str(elsewhere / "2.mp4"))
    for listed in (specs(elsewhere, 2), [moved]):
        with pytest.raises(UsageError, match=f"was served in {here}: start the server there"):
            read(ledger, listed)
    assert counts(ledger) == {"ready": 3}
    # The same files are the same jobs, and an edited row is an edited row.
    read(ledger, [*specs(here, 2), replace(absolute, source_path="/other.mp4")])
    assert counts(ledger) == {"ready": 3}


def test_a_job_that_failed_and_is_retried_is_announced_again(tmp_path: Path) -> None:
    ends: list[tuple[int, State]] = []
    media = {"a": f"first {tmp_path / 'once'}"}
    with serving(
        tmp_path,
        media,
        keep_alive=True,
        on_final=lambda ended: ends.append((ended.id, ended.state)),
    ) as server:
        ledger = ["--ledger", str(server.store.path)]
        with working(server.uri):
            until(lambda: ends == [(1, State.FAILED)])
            assert _program.main(["retry", *ledger]) == 0
            until(lambda: ends[1:] == [(1, State.DONE)])
            (server.csv("a")).unlink()
            assert _program.main(["verify", *ledger]) == 1
            until(lambda: ends[2:] == [(1, State.DONE)])


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0:00:00"),
        (59.4, "0:00:59"),
        (59.7, "0:01:00"),
        (3599.6, "1:00:00"),
        (36061, "10:01:01"),
    ],
)
def test_a_clock_has_no_sixtieth_second(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_the_summary_counts_the_media_of_this_run() -> None:
    lines = results({"done": 2}, {"media_s": 6.0, "medium_skipped": 1.0}, done=2, elapsed_s=1.0)
    assert any(line.startswith("media    1 of 0:00:06") for line in lines)


def test_portions_fit_into_a_call() -> None:
    assert [len(portion) for portion in in_portions(range(2500))] == [1000, 1000, 500]
    long = ["x" * (MAX_BYTES // 3)] * 5
    assert [len(portion) for portion in in_portions(long)] == [2, 2, 1]


def test_ctrl_c_ends_a_command_without_a_traceback(tmp_path: Path, monkeypatch) -> None:
    with opened(tmp_path) as ledger:
        read(ledger, specs(tmp_path, 1))

    def interrupt(*_: object) -> Iterator[object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(operations, "faults", interrupt)
    assert command(tmp_path, "verify") == 130
    assert os.path.exists(tmp_path / "jobs.ledger")
