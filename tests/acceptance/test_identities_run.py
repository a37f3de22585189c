"""People known again across the media of a joblist: counted once, whatever dies meanwhile."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import analyzer
from analyzer.identities.address import open_store
from analyzer.weights import locate
from ina.fingerprint import code_digests
from tests.support.cluster import Cluster, cluster
from tests.support.identities import archived, faces
from tests.support.media import ffmpeg
from tests.support.processes import ROOT, until
from tests.support.redis_server import ESCAPED, PASSWORD, RedisServer
from tests.support.servers import table

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
MEDIA = 12


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.kill()


@contextmanager
def serving(folder: Path, sample: Path, *options: str, media: int = MEDIA) -> Iterator[Cluster]:
    """A server with copies of the sample; every other one ends before the second person comes."""
    folder.mkdir(exist_ok=True)
    sources = {f"m{n:02}": folder / f"m{n:02}.mp4" for n in range(media)}
    for number, source in enumerate(sources.values()):
        if number % 2:
            ffmpeg("-i", sample / "sample.mp4", "-t", "3.5", "-c", "copy", source)
        else:
            shutil.copy(sample / "sample.mp4", source)
    with cluster(folder, {}, options=("--fps", "2", "--lease", "10", *options)) as target:
        target.joblist(sources, kinds=("characters", "csv"))
        target.serve()
        yield target


def work(target: Cluster, **local: Any) -> "subprocess.Popen[str]":
    """Start a worker that something may happen to; see tests.support.identity_worker."""
    settings_of_worker = {
        "uri": target.uri,
        "program": analyzer.__version__,
        "models": locate.hashes(),
        "code": code_digests(),
        "local": {"threads": 1, **local},
    }
    command = [
        sys.executable,
        "-m",
        "tests.support.identity_worker",
        json.dumps(settings_of_worker),
    ]
    return target._worker(command)


def assert_counted_once(target: Cluster, url: str, *, jobs: int = MEDIA, times: int = 1) -> int:
    """The store knows what the tables say, and nothing else; returns the number of identities."""
    target.assert_nothing_lost(done=jobs)
    people, saved = archived(target.out, url, times=times)
    assert f"{people} people known, {saved} faces saved" in target.log()
    return people


@pytest.fixture(scope="module")
def people(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many identities a run gives in which nothing happens."""
    with serving(tmp_path_factory.mktemp("quiet"), sample, "--identities", media=2) as target:
        target.analyse("--threads", "2")
        assert target.finish(within_s=120) == 0, target.log()
        return assert_counted_once(target, str(target.folder / "jobs.identities"), jobs=2)


def test_redis_is_killed_and_comes_back(people, sample, redis_server, tmp_path):
    url = redis_server.url()
    with serving(tmp_path / "run", sample, "--identities", url) as target:
        for _ in range(2):
            target.analyse("--threads", "1")
        until(lambda: target.counts().get("done", 0) >= 3, within_s=120)
        redis_server.kill()
        done = target.counts()["done"]
        time.sleep(15)
        assert target.counts()["done"] <= done + 2, "no worker waited for the store"
        redis_server.start()
        assert target.finish(within_s=300) == 0, target.log()
        assert target.query("SELECT MAX(attempts) FROM job") == [(1,)]
        assert assert_counted_once(target, url) == people
        assert f"Redis 127.0.0.1:{redis_server.port}, prefix 'archive'" in target.log()
        assert_no_password(tmp_path)


def assert_no_password(folder: Path) -> None:
    """The password stands in no file of the run, neither as it is nor as in an address."""
    for path in folder.rglob("*"):
        if path.is_file() and path.name != "redis.log":
            data = path.read_bytes()
            assert PASSWORD.encode() not in data, path
            assert ESCAPED.encode() not in data, path


def test_a_store_that_is_away_for_long_costs_an_attempt_and_nothing_else(
    people, sample, redis_server, tmp_path
):
    url = redis_server.url()
    with serving(tmp_path / "run", sample, "--identities", url, media=4) as target:
        worker = work(target, wait_s=2.0)
        until(lambda: target.counts().get("done"), within_s=120)
        redis_server.kill()
        until(lambda: target.counts().get("wait"), within_s=60)
        redis_server.start()
        assert target.finish(within_s=300) == 0, target.log()
        assert target.query("SELECT MAX(fails) FROM job") == [(1,)]
        assert assert_counted_once(target, url, jobs=4) == people
        assert worker.wait(30) == 0


@pytest.mark.parametrize("shards", [(), ("--shards", "2")], ids=["whole", "shards"])
def test_a_worker_dies_between_match_and_publish(people, shards, sample, tmp_path):
    died = tmp_path / "died"
    with serving(tmp_path / "run", sample, *shards, "--identities", media=6) as target:
        workers = [work(target, die=str(died)) for _ in range(2)]
        until(died.exists, within_s=120)
        assert target.finish(within_s=300) == 0, target.log()
        assert sorted(w.wait(30) for w in workers) == [-9, 0]
        (lost,) = target.query("SELECT SUM(attempts) - COUNT(*) FROM job WHERE parent IS NULL")
        assert lost == (1,)
        url = str(target.folder / "jobs.identities")
        assert assert_counted_once(target, url, jobs=6) == people


def test_jobs_that_are_done_again_count_once_and_those_of_another_ledger_anew(
    people, sample, redis_server, tmp_path
):
    url = redis_server.url()
    with serving(tmp_path / "run", sample, "--identities", url, media=2) as target:
        target.analyse("--threads", "2")
        assert target.finish(within_s=120) == 0, target.log()
        (target.out / "m00.csv").unlink()
        target.serve()
        target.analyse("--threads", "2")
        assert target.finish(within_s=120) == 0, target.log()
        assert target.query("SELECT MAX(attempts) FROM job") == [(2,)]
        store = open_store(url, settings=None)
        assert store.counters().saved == faces(target.out).total()
        store.close()
    with serving(tmp_path / "other", sample, "--identities", url, media=2) as target:
        target.analyse("--threads", "2")
        assert target.finish(within_s=120) == 0, target.log()
        assert assert_counted_once(target, url, jobs=2, times=2) == people


def test_the_local_command_knows_people_again(people, sample, tmp_path):
    shutil.copy(sample / "sample.mp4", tmp_path / "again.mp4")
    command = [sys.executable, "-m", "analyzer", "analyze", sample / "sample.mp4"]
    command += [tmp_path / "again.mp4", "-o", tmp_path / "out", "--fps", "2", "--identities"]
    command += ["--export", "characters"]
    for _ in range(2):
        done = subprocess.run([*map(str, command)], cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        tables = [table(path) for path in (tmp_path / "out").glob("*.characters.csv")]
        assert len(tables) == 2
        ids = [[row["identity_id"] for row in table] for table in tables]
        assert ids[0] == ids[1]
        saved = sum(int(row["face_count"]) for table in tables for row in table)
        assert f"identities: {people} people known, {saved} faces saved" in done.stdout
