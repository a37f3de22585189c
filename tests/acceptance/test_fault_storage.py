"""The fault table of docs/reliability.md: disks that are full, that hang, or that are remote."""

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.cluster import cluster
from tests.support.injectors import sshfs, tmpfs
from tests.support.processes import until

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(120)]


def fill(folder: Path) -> Path:
    """Take all the space there is."""
    filler = folder / "filler"
    space = os.statvfs(folder)
    with filler.open("wb") as file, suppress(OSError):
        file.write(bytes(space.f_bavail * space.f_frsize))
    return filler


def test_09_the_ledger_s_disk_is_full(tmp_path: Path) -> None:
    media = {f"m{n}": "sleep 0.05" for n in range(30)}
    with (
        tmpfs(tmp_path / "disk", "6m") as disk,
        cluster(tmp_path, media, ledger=disk / "x.ledger") as target,
    ):
        target.serve()
        target.work()
        until(lambda: target.counts().get("done", 0) >= 3)
        filler = fill(disk)
        time.sleep(3)
        stuck = target.counts()
        time.sleep(2)
        assert target.counts() == stuck, "something was acknowledged on a full disk"
        assert stuck.get("done", 0) < 30
        filler.unlink()
        assert target.finish() == 0
        target.assert_nothing_lost(done=30)


def test_10_the_outputs_disk_is_full(tmp_path: Path) -> None:
    media = {f"m{n}": "sleep 0.1" for n in range(20)}
    with (
        tmpfs(tmp_path / "disk", "64m") as disk,
        cluster(tmp_path, media, out=disk / "out", options=("--lease", "3")) as target,
    ):
        target.serve()
        target.work()
        until(lambda: target.counts().get("done", 0) >= 3)
        filler = fill(disk)
        until(lambda: "storage: [Errno 28]" in target.log())
        time.sleep(2)
        assert all(path.stat().st_size > 0 for path in (disk / "out").glob("*.csv"))
        filler.unlink()
        assert target.finish() == 0
        target.assert_nothing_lost(done=20)
        assert target.query("SELECT MAX(lost), MAX(fails) FROM job") == [(0, 0)]


def test_11_the_storage_hangs(tmp_path: Path) -> None:
    media = {f"m{n}": "sleep 0.3" for n in range(15)}
    with sshfs(tmp_path / "disk", tmp_path / "behind") as storage:
        out = tmp_path / "disk" / "out"
        with cluster(tmp_path, media, out=out, options=("--lease", "6")) as target:
            target.serve()
            for _ in range(2):
                target.work(stall_s=3.0)
            until(lambda: target.counts().get("done", 0) >= 3)
            storage.send_signal(signal.SIGSTOP)
            until(lambda: "no answer" in target.log())
            time.sleep(8)
            storage.send_signal(signal.SIGCONT)
            assert target.finish() == 0
            target.assert_nothing_lost(done=15)
            assert target.query("SELECT MAX(lost), MAX(fails) FROM job") == [(0, 0)]


def test_22_a_ledger_on_a_network_disk(tmp_path: Path) -> None:
    with sshfs(tmp_path / "disk", tmp_path / "behind"):
        ledger = tmp_path / "disk" / "x.ledger"
        with cluster(tmp_path, {"a": ""}, ledger=ledger) as target:
            assert target.serve().wait(30) == 2
            assert "on a file system of type fuse.sshfs" in target.log()
            assert not ledger.exists()


def test_a_worker_without_the_server_s_storage_is_sent_away(tmp_path: Path) -> None:
    with (
        tmpfs(tmp_path / "disk", "64m") as disk,
        cluster(tmp_path, {"a": ""}, out=disk / "out") as target,
    ):
        target.serve()
        until(lambda: list((disk / "out").glob(".ina-*.probe")))
        # A worker that sees another disk at the same place, as one without the mount would.
        lost = target.work(prefix=("unshare", "--mount", "sh", "-c", f'umount {disk}; "$@"', "sh"))
        assert lost.wait(30) == 1
        assert "mount the server's storage at the same place" in target.log()
        target.work()
        assert target.finish() == 0
