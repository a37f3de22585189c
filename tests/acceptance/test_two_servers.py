"""Two servers, two machines, one list: one works, the other is told; nothing is torn."""

import os
import random
import re
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cluster import Cluster
from tests.support.injectors import machines
from tests.support.processes import kill, until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(1200)]
REPETITIONS = 50
MEDIA = {f"m{n}": "sleep 0.1\nwrite slowly" for n in range(4)}
OPTIONS = ("--lease", "3")


@contextmanager
def pair(folder: Path, prefixes: Sequence[tuple[str, ...]] = ((), ())) -> Iterator[list[Cluster]]:
    """Two servers with ledgers of their own, and one list."""
    folder.mkdir(exist_ok=True)
    clusters = []
    try:
        for name, prefix in zip(("one", "two"), prefixes, strict=True):
            home = folder / name
            home.mkdir()
            settings = {"out": folder / "out", "prefix": prefix, "options": OPTIONS}
            clusters.append(Cluster(home, MEDIA if name == "one" else {}, **settings))
        shutil.copy(folder / "one" / "jobs.csv", folder / "two" / "jobs.csv")
        yield clusters
    finally:
        for cluster in clusters:
            cluster.stop()


def refusal(cluster: Cluster) -> str:
    found = re.findall(r"ina_server: \S+ is a destination of (the server on .*)", cluster.log())
    return found[-1] if found else ""


def assert_whole(folder: Path, winner: Cluster) -> None:
    """Every file is whole, and the one that the ledger knows."""
    uid = winner.query("SELECT value FROM meta WHERE name = 'uid'")[0][0]
    for part in (folder / "out").glob("*.part.*"):
        assert uid not in part.name
        # The killed server's, which its own ledger knows.
        part.unlink()
    winner.assert_nothing_lost(done=len(MEDIA))
    for name in MEDIA:
        lines = (folder / "out" / f"{name}.csv").read_text().splitlines()
        assert (len(lines), len(set(lines))) == (20, 1)


def compete(folder: Path, prefixes: Sequence[tuple[str, ...]], chance: random.Random) -> None:
    """Start two servers, kill the one that holds the list, and let the other go on."""
    with pair(folder, prefixes) as clusters:
        order = [*clusters]
        chance.shuffle(order)
        order[0].serve()
        time.sleep(chance.choice([0.0, chance.uniform(0.0, 2.0)]))
        order[1].serve()
        until(lambda: any(c.server and c.server.poll() is not None for c in order), within_s=30)
        (loser,) = (c for c in order if c.server and c.server.poll() is not None)
        (winner,) = (c for c in order if c is not loser)
        assert loser.server
        assert loser.server.returncode == 2, loser.log()
        name = winner.prefix[3] if winner.prefix else os.uname().nodename
        assert f"on {name} (process" in refusal(loser), loser.log()
        assert f"ledger {winner.ledger}" in refusal(loser)
        winner.work(prefix=winner.prefix)
        time.sleep(chance.uniform(0.0, 2.0))
        assert winner.server
        ended = winner.server.poll() is not None
        kill(winner.server)
        loser.serve()
        loser.work(prefix=loser.prefix)
        assert loser.finish() == 0, loser.log()
        assert ended or f"took over from the server on {name} " in loser.log()
        # The worker of the killed server may have published the same file once more.
        for worker in winner.workers:
            kill(worker)
        assert_whole(folder, loser)
        assert not (folder / "out" / ".ina-claims").exists()


def test_two_machines_and_one_list(tmp_path: Path) -> None:
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with machines("ina-m1", "ina-m2") as prefixes:
        for turn in range(REPETITIONS):
            compete(tmp_path / str(turn), prefixes, chance)
            shutil.rmtree(tmp_path / str(turn))


def test_a_killed_server_on_a_machine_that_cannot_be_looked_at(tmp_path: Path) -> None:
    """Only the age of its claim tells that it is gone: three leases, ten seconds at least."""
    with (
        machines("ina-m1", "ina-m2", own_processes=True) as prefixes,
        pair(tmp_path / "x", prefixes) as (one, two),
    ):
        one.serve()
        until(lambda: list((tmp_path / "x" / "out").glob(".ina-claims/*")), within_s=30)
        assert two.serve().wait(30) == 2
        assert "on ina-m1 (process" in refusal(two)
        time.sleep(12)
        assert two.serve().wait(30) == 2, "it is renewed"
        assert one.server
        kill(one.server)
        assert two.serve().wait(30) == 2
        assert "its claim ends 10 s after its last renewal" in two.log()
        time.sleep(11)
        two.serve()
        two.work(prefix=two.prefix)
        assert two.finish() == 0, two.log()
        assert "took over from the server on ina-m1" in two.log()
        assert_whole(tmp_path / "x", two)


def test_servers_that_do_not_see_each_other_s_claim_tear_nothing(tmp_path: Path) -> None:
    """Part files have names of their own, whatever becomes of the claims."""
    with pair(tmp_path / "x") as (one, two):
        for name in MEDIA:
            (tmp_path / "x" / "two" / f"{name}.mp4").write_text(MEDIA[name])
        two.joblist({name: tmp_path / "x" / "two" / f"{name}.mp4" for name in MEDIA})
        for cluster in (one, two):
            cluster.options = ("--lease", "60")
            cluster.serve()
            claims = tmp_path / "x" / "out" / ".ina-claims"
            until(lambda claims=claims: claims.exists() and list(claims.iterdir()), within_s=30)
            until(lambda c=cluster: "PYRO:" in c.log())
            shutil.rmtree(claims)
        for cluster in (one, two):
            for _ in range(2):
                cluster.work()
        assert (one.finish(), two.finish()) == (0, 0), one.log() + two.log()
        for name in MEDIA:
            lines = (tmp_path / "x" / "out" / f"{name}.csv").read_text().splitlines()
            assert (len(lines), len(set(lines))) == (20, 1), "one server's file, and whole"
        assert one.query("SELECT SUM(fails), SUM(lost) FROM job") == [(0, 0)]
        assert two.query("SELECT SUM(fails), SUM(lost) FROM job") == [(0, 0)]


def nested(cluster: Cluster, names: Sequence[str]) -> None:
    """A folder of results for each film."""
    rows = [f"{cluster.folder}/{n}.mp4,{cluster.out}/{n}/{n}.csv" for n in names]
    (cluster.folder / "jobs.csv").write_text("\n".join(["source_path,dest_csv", *rows, ""]))


def test_the_folder_of_a_finished_film_is_moved_away(tmp_path: Path) -> None:
    names = [f"m{n}" for n in range(8)]
    cluster = Cluster(tmp_path, dict.fromkeys(names, "sleep 0.7"), options=OPTIONS)
    try:
        nested(cluster, names)
        cluster.serve()
        cluster.work()
        until(lambda: cluster.counts().get("done", 0) >= 1, within_s=30)
        (first,) = (p for p in cluster.out.rglob("*.csv"))
        shutil.move(first.parent, tmp_path / "archive")
        assert cluster.finish(within_s=40) == 0, cluster.log()
        assert len([*cluster.out.rglob("*.csv")]) == len(names) - 1
        assert cluster.query("SELECT SUM(fails), SUM(lost) FROM job") == [(0, 0)]
    finally:
        cluster.stop()


def test_a_folder_that_is_a_file_fails_its_job_and_no_other(tmp_path: Path) -> None:
    names = ["m0", "m1", "m2"]
    cluster = Cluster(tmp_path, dict.fromkeys(names, "sleep 0.1"), options=OPTIONS)
    try:
        nested(cluster, names)
        cluster.out.mkdir()
        (cluster.out / "m0").write_text("a file")
        cluster.serve()
        cluster.work()
        assert cluster.finish(within_s=40) == 1
        assert cluster.counts() == {"done": 2, "failed": 1}
        assert f"{cluster.out}/m0 is a file, and {cluster.out}/m0/m0.csv is to lie" in cluster.log()
        assert cluster.query("SELECT err_kind, fails FROM job WHERE state = 'failed'") == [
            ("input", 1)
        ]
    finally:
        cluster.stop()


def test_a_server_that_was_stopped_too_long_learns_that_it_was_taken_over(tmp_path: Path) -> None:
    with machines("ina-m1", "ina-m2") as prefixes, pair(tmp_path / "x", prefixes) as (one, two):
        one.serve()
        claims = tmp_path / "x" / "out" / ".ina-claims"
        until(lambda: claims.exists() and list(claims.iterdir()), within_s=30)
        until(lambda: "PYRO:" in one.log())
        assert one.server
        one.server.send_signal(signal.SIGSTOP)
        (file,) = claims.iterdir()
        # As if it were on a machine that cannot be looked at.
        head = file.read_bytes().replace(b'"boot_id": "', b'"boot_id": "x')
        file.write_bytes(head)
        os.utime(file, (time.time() - 60,) * 2)
        two.serve()
        until(lambda: "PYRO:" in two.log(), within_s=30)
        one.server.send_signal(signal.SIGCONT)
        assert one.server.wait(30) == 1
        assert "were taken over by the server on ina-m2" in one.log()
        two.work(prefix=two.prefix)
        assert two.finish() == 0
        assert_whole(tmp_path / "x", two)
