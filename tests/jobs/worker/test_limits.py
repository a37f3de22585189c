"""Limits on the time of jobs, and what does not count: networks, disks, suspended machines."""

import os
from pathlib import Path

import pytest

from jobs.outputs import publish
from jobs.outputs.durable import PIECE_BYTES, force_to_disk
from jobs.worker.watchdog import Watchdog
from tests.support import injectors
from tests.support.jobs import Clock, make_lease
from tests.support.processes import until
from tests.support.servers import serving, working

LIMITS = {"stall_s": 300.0, "wall_s": 600.0}


def test_a_download_is_limited_by_lack_of_progress(clock: Clock) -> None:
    watchdog = Watchdog(clock=clock)
    for _ in range(6 * 360):
        clock.now += 10
        watchdog.note({"stage": "fetch"})
        assert watchdog.exceeded(**LIMITS) == ""
    for _ in range(75):
        clock.now += 4
        assert watchdog.exceeded(**LIMITS) == ""
    clock.now += 4
    assert watchdog.exceeded(**LIMITS) == "no progress for 304 s"


def test_work_after_a_download_is_limited(clock: Clock) -> None:
    watchdog = Watchdog(clock=clock)
    for stage, seconds in (("fetch", 3600), ("observe", 596), ("publishing", 3600)):
        for _ in range(seconds // 4):
            clock.now += 4
            watchdog.note({"stage": stage})
            assert watchdog.exceeded(**LIMITS) == ""
    clock.now += 4
    watchdog.note({"stage": "observe"})
    assert watchdog.exceeded(**LIMITS) == ""
    clock.now += 4
    assert watchdog.exceeded(**LIMITS) == "not finished after 600 s"


def test_time_in_which_the_supervisor_was_held_up_does_not_count(clock: Clock) -> None:
    watchdog = Watchdog(clock=clock)
    for _ in range(5):
        clock.now += 4000
        assert watchdog.exceeded(**LIMITS) == ""


def test_sealing_reports_progress(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    publish.open_folders(lease)
    calls: list[int] = []
    with publish.OpenParts(lease) as outputs:
        paths = outputs.paths()
        for part in paths.values():
            part.write_bytes(b"")
            os.truncate(part, 4 * PIECE_BYTES)
        files = outputs.seal({}, paths, lambda: calls.append(1)).files
    assert len(calls) > 2 * 4 * PIECE_BYTES / publish.CHUNK_BYTES
    assert {file.size for file in files.values()} == {4 * PIECE_BYTES}


def test_a_file_is_forced_to_the_disk_in_pieces(tmp_path: Path) -> None:
    calls: list[int] = []
    with (tmp_path / "a").open("w+b") as file:
        for size, pieces in ((0, 1), (PIECE_BYTES, 1), (PIECE_BYTES + 1, 2), (3 * PIECE_BYTES, 3)):
            file.truncate(size)
            calls.clear()
            force_to_disk(file.fileno(), lambda: calls.append(1))
            assert len(calls) == pieces
    with (tmp_path / "a").open("rb") as file:
        force_to_disk(file.fileno())


def test_a_job_may_download_and_seal_for_longer_than_its_limits(tmp_path: Path) -> None:
    settings = {"stall_s": 2.0, "wall_s": 1.0, "local": {"size": 40 << 20}}
    with (
        serving(tmp_path, {"a": "fetch 2\nslow_disk 0.05"}) as server,
        working(server.uri, **settings) as worker,
    ):
        assert worker.wait(60) == 0
        assert server.counts() == {"done": 1}, server.job(1).error


def test_a_suspended_machine_s_hours_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boot_clock = injectors.Clock(tmp_path, is_boot_clock=True)
    for name, value in boot_clock.env.items():
        monkeypatch.setenv(name, value)
    with serving(tmp_path, {"a": "sleep 2"}) as server, working(server.uri) as worker:
        until(lambda: server.counts().get("leased"))
        boot_clock.set(1)
        # Given back where the fence is met before the server says that the lease goes on.
        assert worker.wait(60) == 0
        job = server.job(1)
        assert (job.state.value, job.lost, job.fails) == ("done", 0, 0)
