"""What is the fault of storage, server or machine is not the job's: nothing is counted."""

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cluster import Cluster, cluster
from tests.support.injectors import need, tmpfs
from tests.support.processes import until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(180)]
ABSENCE_S = 30.0


@contextmanager
def on_disk(folder: Path, disk: Path, media: dict[str, str]) -> Iterator[Cluster]:
    """A cluster with media and outputs on one disk."""
    films = disk / "films"
    films.mkdir(parents=True)
    with cluster(folder, media, out=disk / "out", options=("--lease", "6")) as target:
        for name in media:
            shutil.move(folder / f"{name}.mp4", films)
        target.joblist({name: films / f"{name}.mp4" for name in media})
        yield target


def assert_nobody_was_blamed(target: Cluster, *, done: int) -> None:
    target.assert_nothing_lost(done=done)
    assert target.counts() == {"done": done}
    assert target.query("SELECT MAX(lost), MAX(fails) FROM job") == [(0, 0)]


def test_a_mount_that_vanishes_from_one_worker(tmp_path: Path) -> None:
    need("unshare", "nsenter", "mount", "umount")
    media = {f"m{n}": "sleep 1" for n in range(60)}
    spare = tmp_path / "spare"
    spare.mkdir()
    with tmpfs(tmp_path / "disk", "64m") as disk, on_disk(tmp_path, disk, media) as target:
        subprocess.run(["mount", "--bind", disk, spare], check=True)
        try:
            target.serve()
            until(lambda: list((disk / "out").glob(".ina-*.probe")))
            target.work()
            loser = target.work(prefix=("unshare", "--mount", "--propagation", "private"))
            inside = ["nsenter", f"--target={loser.pid}", "--mount"]
            until(lambda: target.counts().get("done", 0) >= 4)
            subprocess.run([*inside, "umount", "--lazy", disk], check=True)
            time.sleep(ABSENCE_S)
            assert target.events("storage") > 2, "it has not asked again"
            assert target.counts().get("done", 0) >= 15, "the other worker got no jobs"
            subprocess.run([*inside, "mount", "--bind", spare, disk], check=True)
            assert target.finish(within_s=90) == 0
        finally:
            subprocess.run(["umount", "--lazy", spare], check=True)
        assert_nobody_was_blamed(target, done=60)
        late = "SELECT COUNT(DISTINCT worker) FROM event WHERE what = 'done' AND id > ?"
        ((last,),) = target.query("SELECT MAX(id) FROM event WHERE what = 'storage'")
        assert target.query(late, last) == [(2,)]


def test_a_folder_that_vanishes_from_all(tmp_path: Path) -> None:
    media = {f"m{n}": "sleep 0.5" for n in range(60)}
    with on_disk(tmp_path, tmp_path / "disk", media) as target:
        target.serve()
        for _ in range(3):
            target.work()
        until(lambda: target.counts().get("done", 0) >= 6)
        (tmp_path / "disk").rename(tmp_path / "away")
        time.sleep(ABSENCE_S)
        (tmp_path / "away").rename(tmp_path / "disk")
        assert target.finish(within_s=90) == 0
        assert_nobody_was_blamed(target, done=60)


def test_a_mount_that_vanishes_from_all(tmp_path: Path) -> None:
    """Under the mount is an empty folder, on another disk: nothing must be written there."""
    need("mount", "umount")
    media = {f"m{n}": "sleep 0.5" for n in range(30)}
    spare = tmp_path / "spare"
    spare.mkdir()
    with tmpfs(tmp_path / "disk", "64m") as disk, on_disk(tmp_path, disk, media) as target:
        subprocess.run(["mount", "--bind", disk, spare], check=True)
        try:
            target.serve()
            for _ in range(2):
                target.work()
            until(lambda: target.counts().get("done", 0) >= 6)
            subprocess.run(["umount", "--lazy", disk], check=True)
            time.sleep(ABSENCE_S / 3)
            assert list(disk.iterdir()) == []
            subprocess.run(["mount", "--bind", spare, disk], check=True)
            assert target.finish(within_s=90) == 0
        finally:
            subprocess.run(["umount", "--lazy", spare], check=True)
        assert_nobody_was_blamed(target, done=30)


def test_a_server_that_is_paused_blames_nobody(tmp_path: Path) -> None:
    media = {f"m{n}": "sleep 3" for n in range(3)}
    with cluster(tmp_path, media, options=("--lease", "2")) as target:
        server = target.serve()
        target.work()
        for pause in range(3):
            until(lambda: target.counts().get("leased"))
            time.sleep(0.5 + 0.2 * pause)
            server.send_signal(signal.SIGSTOP)
            time.sleep(5)
            server.send_signal(signal.SIGCONT)
            time.sleep(1)
        assert target.finish() == 0
        assert "all leases are extended" in target.log()
        assert_nobody_was_blamed(target, done=3)
