"""A mount of results that is gone: nothing is done again, and nothing is called lost."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from joblist.errors import UsageError
from joblist.model import JobSpec
from jobs.commands import _program
from jobs.ledger import queries
from jobs.ledger.imports import import_jobs
from jobs.ledger.ledger import Ledger
from jobs.ledger.store import Store
from jobs.system import mounts
from tests.support.jobs import manifest

Mount = Callable[[str], None]


@pytest.fixture
def mount(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Mount:
    """Sets what is mounted, beside the root."""
    table = tmp_path / "mountinfo"
    monkeypatch.setattr(mounts, "MOUNT_TABLE", table)

    def mount(point: str) -> None:
        lines = ["1 0 8:1 / / rw - ext4 /dev/vda rw"]
        lines += [f"2 1 8:2 / {point} rw - nfs4 server:/films rw"] * bool(point)
        table.write_text("\n".join(lines))

    return mount


def read(folder: Path) -> dict[str, int]:
    """Import the list of one job, do it if it is not done, and return the counts after that."""
    with closing(Store(folder / "jobs.ledger")) as store:
        ledger = Ledger(store)
        dest = folder / "archive" / "out" / "a.csv"
        spec = JobSpec(source_path=str(folder / "a.mp4"), dests={"csv": str(dest)})
        import_jobs(ledger, [spec], options_digest="opts")
        counts = store.read(queries.counts)
        for job in ledger.claim("w", "r", 1):
            dest.parent.mkdir(parents=True, exist_ok=True)
            dest.write_bytes(b"")
            assert ledger.prepare(job.id, job.token, "w", manifest(dest))
            assert ledger.published(job.id, job.token, "w", options_digest="opts")
    return counts


def verify(folder: Path) -> int:
    return _program.main(["verify", "--ledger", str(folder / "jobs.ledger")])


def test_results_on_a_mount_that_is_gone_are_not_lost(
    mount: Mount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, away = tmp_path / "archive", tmp_path / "away"
    mount(str(archive))
    assert read(tmp_path) == {"ready": 1}
    archive.rename(away)
    archive.mkdir()
    mount("")
    with pytest.raises(UsageError, match="archive, where it was, is no longer mounted: mount it"):
        read(tmp_path)
    assert verify(tmp_path) == 1
    printed = capsys.readouterr().out
    assert f"unreadable: {archive}/out/a.csv: {archive} is no longer mounted" in printed
    assert "1 have outputs that cannot be read, and are left as they are" in printed
    archive.rmdir()
    away.rename(archive)
    mount(str(archive))
    assert read(tmp_path) == {"skipped": 1}


def test_results_that_were_removed_are_done_again(mount: Mount, tmp_path: Path) -> None:
    mount(str(tmp_path / "archive"))
    assert read(tmp_path) == {"ready": 1}
    (tmp_path / "archive" / "out" / "a.csv").unlink()
    assert read(tmp_path) == {"ready": 1}


def test_results_that_were_moved_from_a_mount_to_a_folder_are_there(
    mount: Mount, tmp_path: Path
) -> None:
    mount(str(tmp_path / "archive"))
    read(tmp_path)
    mount("")
    assert read(tmp_path) == {"skipped": 1}
    (tmp_path / "archive" / "out" / "a.csv").unlink()
    assert read(tmp_path) == {"ready": 1}
