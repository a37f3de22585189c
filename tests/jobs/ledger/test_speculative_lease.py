"""A second lease of a running job: either may win, and a slow worker delays no other."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from joblist.shard import Shard
from jobs.ledger import operations, queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.outputs.part_names import part_name
from jobs.server import cleanup
from jobs.types import Job, State
from jobs.worker.client import Client
from tests.support.jobs import manifest, manifest_of, specs
from tests.support.processes import until
from tests.support.servers import Server, serving, working

INFO = {"host": "h", "pid": 1, "boot_id": "", "program": "1", "device": "cpu"}


def read(ledger: Ledger, number: int = 1) -> Job:
    return ledger.store.read(lambda db: queries.job(db, number))


def part_of(ledger: Ledger, csv: str | Path, job: Job) -> Path:
    return Path(part_name(str(csv), job.id, job.token, ledger.store.uid))


@pytest.fixture
def twice(ledger: Ledger, fill: Callable[[int], None]) -> tuple[Job, Job]:
    """Both leases of the first job; workers are called first and second."""
    fill(1)
    (first,) = ledger.claim("first", "r1", 1)
    (second,) = ledger.claim_second("second", "r2", [1])
    assert (first.token, second.token, second.worker) == (1, 2, "second")
    return first, second


def test_a_lease_is_doubled_once_and_not_for_its_own_worker(ledger, fill):
    fill(1)
    assert ledger.claim_second("b", "r0", [1]) == []
    ledger.claim("a", "r1", 1)
    assert ledger.claim_second("a", "r2", [1]) == []
    (job,) = ledger.claim_second("b", "r3", [1])
    assert ledger.claim("b", "r3", 1) == [job]
    assert ledger.claim_second("c", "r4", [1]) == []


def test_each_of_two_gets_its_own_answer_again(ledger, fill, twice):
    def again(worker: str, request: str) -> list[tuple[int, int, str | None]]:
        return [(j.id, j.token, j.worker) for j in ledger.claim(worker, request, 1)]

    fill(2)
    first, second = ((job.id, job.token, job.worker) for job in twice)
    assert [again("first", "r1"), again("second", "r2")] == [[first], [second]]
    ledger.take_back(1, 2, blame=False, why="released")
    assert [again("first", "r1"), again("second", "r2")] == [[first], []]


def test_what_was_cancelled_leaves_no_part_files_of_either(ledger, twice, tmp_path):
    parts = [part_of(ledger, tmp_path / "2.csv", job) for job in twice]
    for part in parts:
        part.touch()
    assert operations.cancel(ledger, [1, 99]) == [1]
    assert cleanup.remove_part_files(ledger, age_s=0.0) == 2
    assert not any(part.exists() for part in parts)


def test_shards_that_end_with_their_job_leave_no_part_files_of_either(store, tmp_path):
    ledger = Ledger(store, shards=[Shard(number, 2) for number in range(2)])
    import_jobs(ledger, specs(tmp_path, 1), options_digest="opts")
    (first,) = ledger.claim("first", "r1", 1)
    (second,) = ledger.claim_second("second", "r2", [first.id])
    parts = [part_of(ledger, first.spec.dests["csv"], job) for job in (first, second)]
    for part in parts:
        part.touch()
    operations.cancel(ledger, [1])
    cleanup.remove_part_files(ledger, age_s=0.0)
    assert not any(part.exists() for part in parts)


@pytest.mark.parametrize("winner", [1, 2])
def test_one_of_two_wins_and_the_other_is_stale(ledger, twice, tmp_path, winner):
    loser = 3 - winner
    name = {1: "first", 2: "second"}
    published = manifest(tmp_path / "2.csv")
    assert ledger.prepare(1, winner, name[winner], published)
    assert not ledger.prepare(1, loser, name[loser], published)
    assert ledger.fail(1, loser, name[loser], kind="bug", text="x") is None
    assert ledger.take_back(1, loser, blame=True, why="expired") is None
    assert not ledger.published(1, loser, name[loser], options_digest="opts")
    for _ in range(2):
        assert ledger.prepare(1, winner, name[winner], published)
        assert ledger.published(1, winner, name[winner], options_digest="opts")
    job = read(ledger)
    assert (job.state, job.token, job.lost, job.fails) == (State.DONE, winner, 0, 0)
    part = part_of(ledger, tmp_path / "2.csv", replace(job, token=loser))
    part.touch()
    assert cleanup.remove_part_files(ledger, age_s=0.0) == 1
    # The next lease has a token that none of the two ever had.
    assert operations.redo(ledger, [(1, winner, "altered")]) == [1]
    (again,) = ledger.claim("c", "r9", 1)
    assert again.token > 2


@pytest.mark.parametrize("ended", [1, 2])
@pytest.mark.parametrize("how", ["fail", "lost"])
def test_when_one_ends_the_other_goes_on(ledger, twice, tmp_path, ended, how):
    other, name = 3 - ended, {1: "first", 2: "second"}
    if how == "fail":
        assert ledger.fail(1, ended, name[ended], kind="input", text="broken") is State.LEASED
    else:
        assert ledger.take_back(1, ended, blame=True, why="expired") is State.LEASED
    job = read(ledger)
    assert (job.token, job.worker, job.lost, job.fails) == (other, name[other], 0, 0)
    assert not ledger.prepare(1, ended, name[ended], manifest(tmp_path / "2.csv"))
    assert ledger.prepare(1, other, name[other], manifest(tmp_path / "2.csv"))


def test_when_both_end_the_job_is_as_after_any_failure(ledger, twice):
    ledger.fail(1, 2, "second", kind="transient", text="x")
    assert ledger.fail(1, 1, "first", kind="input", text="broken") is State.FAILED
    assert read(ledger).error == "broken"
    operations.retry(ledger, [1])
    (again,) = ledger.claim("a", "r9", 1)
    assert again.token > 2


def clients(server: Server, *names: str) -> Iterator[Client]:
    for name in names:
        client = Client(server.uri, name=name, patience_s=lambda: 5.0)
        client.hello(INFO)
        yield client


def test_the_loser_hears_of_it_at_its_next_heartbeat(tmp_path):
    with serving(tmp_path, {"a": ""}, lease_s=2.0, speculate=True) as server:
        slow, fast = clients(server, "slow", "fast")
        (first,) = slow.claim().leases
        assert fast.claim().leases == []
        slow.beat(first, {"fraction": 0.1}, timeout_s=5)
        time.sleep(0.4)
        (two,) = fast.claim().leases
        assert slow.beat(first, {}, timeout_s=5).gone == set()
        assert fast.prepare(two, manifest_of(two))
        assert slow.beat(first, {}, timeout_s=5).gone == {1}
        fast.published(two)
        assert fast.claim().finished
        slow.close(), fast.close()


def test_a_restarted_server_keeps_the_first_of_two(tmp_path):
    with serving(tmp_path, {"a": ""}, lease_s=60.0) as server:
        server.ledger.claim("first", "r1", 1)
        server.ledger.claim_second("second", "r2", [1])
    with serving(tmp_path, {"a": ""}, lease_s=60.0) as server:
        assert [(h.worker, h.token) for h in server.service._book.held()] == [("first", 1)]
        job = server.job(1)
        assert (job.token, job.worker, job.second_worker) == (1, "first", None)


SLOW_S, FAST_S, JOBS = 3.0, 0.3, 24
"""One worker takes ten times as long as the others."""
TIMES = """
SELECT began.t_wall, ended.t_wall FROM event AS began JOIN event AS ended USING(job)
WHERE began.what = 'claimed' AND ended.what = 'done'"""


def test_a_slow_worker_holds_the_end_by_at_most_its_job(tmp_path):
    times = mixed(tmp_path)
    took_s = max(end for _, end in times) - min(begin for begin, _ in times)
    lengths = [end - begin for begin, end in times]
    slow_s = max(lengths)
    fast = [s for s in lengths if s < SLOW_S]
    # What a job takes here, with all that the machine does besides.
    ideal_s = JOBS / (2 / (sum(fast) / len(fast)) + 1 / slow_s)
    print(f"{took_s:.1f} s, ideal {ideal_s:.1f} s, slow job {slow_s:.1f} s, {len(fast)} fast jobs")
    assert took_s < ideal_s + slow_s


def mixed(folder: Path, **settings: bool) -> list[tuple[float, float]]:
    """Begin and end of each job."""
    media = {f"m{n}": f"if slow sleep {SLOW_S}\nif fast sleep {FAST_S}" for n in range(JOBS)}
    with serving(folder, media, lease_s=6.0, **settings) as server, ExitStack() as stack:
        server.service.paused = True
        for kind in ("slow", "fast", "fast"):
            stack.enter_context(working(server.uri, local={"is": kind}))
        until(lambda: len(server.service.status()["workers"]) == 3)
        time.sleep(1)
        server.service.paused = False
        until(server.service.finished)
        assert server.counts() == {"done": JOBS}
        assert server.events("done") == JOBS
        return server.store.read(lambda db: db.execute(TIMES).fetchall())


def test_a_second_lease_spares_the_wait_for_the_slow(tmp_path):
    media = {"last": "if slow sleep 20\nif fast sleep 0.2"}
    with serving(tmp_path, media, lease_s=3.0, speculate=True) as server:
        with working(server.uri, local={"is": "slow"}) as slow:
            until(lambda: server.counts() == {"leased": 1})
            with working(server.uri, local={"is": "fast"}):
                until(server.service.finished, within_s=15)
            assert slow.wait(15) == 0
        assert server.events("doubled") == server.events("done") == 1
        assert server.csv("last").read_text() == "csv of last.mp4\n"
        # The one that was outrun has given up, and no worker is blamed.
        assert (server.job(1).lost, server.job(1).fails) == (0, 0)
