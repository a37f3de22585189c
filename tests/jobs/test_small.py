"""Mount tables, leases, publishing, data types."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from jobs.errors import JobFailed, LedgerRefused
from jobs.outputs import publish
from jobs.retry import Timing, backoff, may_retry
from jobs.server.leases import Held, LeaseBook
from jobs.system.mounts import file_system, refuse_network
from jobs.system.process_identity import ProcessIdentity
from jobs.types import JobSpec, Lease, Manifest
from jobs.worker.child import plain
from tests.support.jobs import Clock

MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/ar\\040chive rw shared:3 - nfs4 server:/export rw
31 30 8:2 / /mnt/ar\\040chive/local rw - xfs /dev/sdb1 rw
32 22 0:50 / /home rw - fuse.sshfs me@host: rw
33 22 0:51 / /home2 rw - btrfs /dev/sdc rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/x", "ext4"),
        ("/mnt/ar chive/x", "nfs4"),
        ("/mnt/ar chive/local/x", "xfs"),
        ("/home/x", "fuse.sshfs"),
        ("/home2/x", "btrfs"),
    ],
)
def test_the_nearest_mount_decides(path: str, kind: str) -> None:
    assert file_system(Path(path), table=MOUNTS) == kind


def test_a_ledger_on_a_network_disk_is_refused() -> None:
    for path in ("/home/x.ledger", "/mnt/ar chive/x.ledger"):
        with pytest.raises(LedgerRefused, match="local disk"):
            refuse_network(Path(path), table=MOUNTS)
    refuse_network(Path("/var/x.ledger"), table=MOUNTS)


@pytest.fixture
def book(clock: Clock) -> LeaseBook:
    return LeaseBook(10.0, clock=clock)


def hold(book: LeaseBook, job: int, worker: str = "w", *, running: bool = True) -> None:
    book.seen(worker)
    book.add(Held(job=job, token=1, worker=worker, source="", running=running))


def test_a_lease_without_heartbeat_expires_with_blame(book: LeaseBook, clock: Clock) -> None:
    hold(book, 1)
    clock.now += 9.9
    assert list(book.expire()) == []
    clock.now += 0.1
    ((held, blame),) = book.expire()
    assert (held.job, blame) == (1, True)
    assert not book.renew("w", 1, 1, {})


def test_a_heartbeat_gives_the_full_time_again(book: LeaseBook, clock: Clock) -> None:
    hold(book, 1)
    for _ in range(5):
        clock.now += 9
        assert book.renew("w", 1, 1, {"fraction": 0.5})
        assert list(book.expire()) == []


def test_the_share_that_is_done_lasts_through_stages_that_do_not_tell_it(book: LeaseBook) -> None:
    hold(book, 1)
    for told, done in (({"fraction": 0.4, "done": 0.2}, 0.2), ({"fraction": 0.9}, 0.2), ({}, 0.2)):
        assert book.renew("w", 1, 1, told)
        (shown,) = book.shown("w")
        assert shown["done"] == done


def test_only_the_holder_may_renew_or_drop(book: LeaseBook) -> None:
    hold(book, 1)
    assert not book.renew("other", 1, 1, {})
    assert not book.renew("w", 1, 2, {})
    assert not book.drop(1, 1, worker="other")
    assert book.drop(1, 1)


def test_a_queued_job_is_not_to_blame(book: LeaseBook, clock: Clock) -> None:
    hold(book, 1, running=False)
    clock.now += 10
    assert [blame for _, blame in book.expire()] == [False]


def test_a_job_that_its_living_worker_does_not_know_is_not_to_blame(
    book: LeaseBook, clock: Clock
) -> None:
    hold(book, 1)
    clock.now += 10
    book.seen("w")
    assert [blame for _, blame in book.expire()] == [False]


def test_nobody_is_to_blame_when_most_workers_fall_silent(book: LeaseBook, clock: Clock) -> None:
    for job in range(1, 7):
        hold(book, job, f"w{job}")
    clock.now += 10
    assert not any(blame for _, blame in book.expire())


def test_one_of_many_workers_is_to_blame(book: LeaseBook, clock: Clock) -> None:
    for job in range(1, 7):
        hold(book, job, f"w{job}")
    clock.now += 9
    for job in range(2, 7):
        book.seen(f"w{job}")
        book.renew(f"w{job}", job, 1, {})
    clock.now += 1
    assert [(held.job, blame) for held, blame in book.expire()] == [(1, True)]


def make_lease(folder: Path, token: int = 3) -> Lease:
    dests = {name: str(folder / "new" / f"a.{name}") for name in ("csv", "ass")}
    return Lease(job=7, token=token, spec=JobSpec(source_path="/a.mp4", dests=dests), options={})


def write_parts(lease: Lease, text: str = "x") -> Manifest:
    publish.open_folders(lease)
    for name, part in publish.part_paths(lease).items():
        part.write_text(f"{text} {name}")
    return publish.seal(lease, {"persons": 1.0})


def test_nothing_stands_under_its_name_before_commit(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    manifest = write_parts(lease)
    assert not any(Path(dest).exists() for dest in lease.dests.values())
    publish.commit(manifest)
    assert Path(lease.dests["csv"]).read_text() == "x csv"
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a.ass", "a.csv"]


def test_the_csv_comes_last(tmp_path: Path) -> None:
    assert list(write_parts(make_lease(tmp_path)).files) == ["ass", "csv"]


def test_commit_may_be_repeated_after_any_rename(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    manifest = write_parts(lease)
    first = manifest.files["ass"]
    Path(first.part).replace(first.path)
    publish.commit(manifest)
    publish.commit(manifest)
    assert Path(lease.dests["csv"]).read_text() == "x csv"


def test_commit_fails_when_part_and_result_are_gone(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    manifest = write_parts(lease)
    part = publish.part_paths(lease)["csv"]
    part.unlink()
    Path(lease.dests["csv"]).write_text("another csv")
    with pytest.raises(JobFailed) as caught:
        publish.commit(manifest)
    assert caught.value.kind == "transient"


def test_an_exporter_that_writes_nothing_is_a_bug(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    publish.open_folders(lease)
    with pytest.raises(JobFailed, match="wrote no file"):
        publish.seal(lease, {})


def test_what_a_task_leaves_out_is_not_published(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    publish.open_folders(lease)
    parts = {"csv": publish.part_paths(lease)["csv"]}
    parts["csv"].write_text("x")
    manifest = publish.seal(lease, {}, parts)
    publish.commit(manifest)
    assert [*manifest.files] == ["csv"]
    assert Path(lease.dests["csv"]).read_text() == "x"


def test_parts_of_earlier_leases_are_cleared(tmp_path: Path) -> None:
    old = publish.part_paths(make_lease(tmp_path, token=2))["csv"]
    write_parts(make_lease(tmp_path, token=2))
    publish.open_folders(make_lease(tmp_path, token=3))
    assert not old.exists()


def test_a_folder_in_the_place_of_an_output_is_bad_input(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    Path(lease.dests["csv"]).mkdir(parents=True)
    with pytest.raises(JobFailed, match="is a folder"):
        publish.open_folders(lease)


def test_wire_forms(tmp_path: Path) -> None:
    lease = make_lease(tmp_path)
    publishing = Lease(**{**lease.__dict__, "kind": "publish", "manifest": write_parts(lease, "y")})
    for one in (lease, publishing):
        assert Lease.from_dict(one.to_dict()) == one


def test_failures_travel_between_processes() -> None:
    error = pickle.loads(pickle.dumps(JobFailed("input", "broken")))
    assert (error.kind, error.message) == ("input", "broken")


def test_the_fence_falls_before_the_lease_ends() -> None:
    timing = Timing(120)
    assert (timing.beat_s, timing.fence_s, timing.call_timeout_s) == (20, 90, 30)
    assert timing.fence_s + timing.call_timeout_s <= timing.lease_s


def test_backoff_grows_to_a_cap() -> None:
    assert all(backoff(1) <= 30 for _ in range(100))
    assert max(backoff(50) for _ in range(200)) <= 3600
    assert max(backoff(50) for _ in range(200)) > 1000


def test_max_attempts_bounds_every_kind() -> None:
    assert not any(may_retry(kind, 1, max_attempts=1) for kind in ("input", "bug", "transient"))


def test_only_processes_of_this_machine_can_be_known_dead() -> None:
    own = ProcessIdentity("here", 1, "boot")
    assert ProcessIdentity("here", 2**22 + 1, "boot").is_dead(seen_from=own)
    assert ProcessIdentity("here", 1, "earlier boot").is_dead(seen_from=own)
    assert not ProcessIdentity("here", 1, "boot").is_dead(seen_from=own)
    assert not ProcessIdentity("there", 2**22 + 1, "other").is_dead(seen_from=own)


def test_numbers_of_arrays_become_plain() -> None:
    found = plain({"a": np.float64(0.5), "b": np.float32(2), "c": np.int64(3), "d": 4, "e": "x"})
    assert found == {"a": 0.5, "b": 2.0, "c": 3.0, "d": 4, "e": "x"}
    assert {type(value) for value in found.values()} == {float, int, str}
