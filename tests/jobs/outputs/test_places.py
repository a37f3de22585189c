"""Where a server leaves its files for others, and its probe when folders are moved away."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jobs.outputs import places, storage_probe
from jobs.outputs.places import Places
from jobs.outputs.storage_probe import Storage
from jobs.system import mounts


def folders(found: Places) -> list[str]:
    return [place.folder for place in found]


def test_few_folders_are_their_own_places(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("a/out", "b/out", "a/out")]
    assert folders(Places(names, limit=2)) == names[:2]
    assert all(place.is_destination for place in Places(names, limit=2))


def test_a_place_covers_what_is_below_it(tmp_path: Path) -> None:
    below = [str(tmp_path / "a" / "b"), str(tmp_path / "a"), str(tmp_path / "a" / "c" / "d")]
    assert folders(Places(below, limit=9)) == [str(tmp_path / "a")]


def test_many_folders_are_replaced_by_those_above(tmp_path: Path) -> None:
    many = (str(tmp_path / "films" / str(n % 7) / str(n)) for n in range(20_000))
    began = time.process_time()
    (place,) = Places(many, limit=1)
    assert (place.folder, place.is_destination) == (str(tmp_path / "films"), False)
    assert time.process_time() - began < 10


def test_the_root_of_the_system_is_no_place(tmp_path: Path) -> None:
    found = Places(["/nowhere-a/x", "/nowhere-b/x"], limit=1)
    assert folders(found) == ["/nowhere-a", "/nowhere-b"]


def test_a_folder_in_which_the_server_may_not_write_is_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(places, "may_write", lambda folder: folder != str(tmp_path))
    names = [str(tmp_path / "a" / "x"), str(tmp_path / "b" / "x")]
    assert folders(Places(names, limit=1)) == [str(tmp_path / "a"), str(tmp_path / "b")]


def test_a_folder_that_is_a_file_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    names = [str(tmp_path / "file" / "x"), str(tmp_path / "out")]
    assert folders(Places(names)) == [str(tmp_path / "out")]
    assert folders(Places(names[:1])) == []


class Watched:
    """A probe in folders that may change, turned by hand."""

    def __init__(self, folder: Path, *names: str, **settings: Any) -> None:
        self.names = [str(folder / name) for name in names]
        self.storage = Storage(
            lambda points: Places(self.names, points=points),
            ledger=folder / "x.ledger",
            every_s=0.01,
            patience_s=1.0,
            absent_s=settings.pop("absent_s", 0.2),
            **settings,
        )

    def turn(self) -> str:
        assert self.storage._place is not None
        self.storage._turn(self.storage._place)
        return self.storage.error

    @property
    def where(self) -> str:
        assert self.storage.probe is not None
        assert storage_probe.find(self.storage.probe) == ""
        return os.path.dirname(self.storage.probe.path)


def test_the_probe_lies_above_all_that_is_unfinished(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "films/a", "films/b", "films/c/deep")
    assert watched.where == str(tmp_path / "films")
    (tmp_path / "films" / "a").mkdir()
    shutil.move(tmp_path / "films" / "a", tmp_path / "archive")
    assert (watched.turn(), watched.where) == ("", str(tmp_path / "films"))
    watched.storage.stop()
    assert list((tmp_path / "films").iterdir()) == []


def test_the_probe_moves_on_when_what_is_finished_is_moved_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "may_write", lambda folder: folder != str(tmp_path))
    watched = Watched(tmp_path, "a/out", "b/out")
    assert watched.where == str(tmp_path / "a")
    shutil.move(tmp_path / "a", tmp_path / "archive")
    watched.names.pop(0)

    assert watched.turn() == ""
    assert watched.where == str(tmp_path / "b" / "out")


def test_a_folder_that_is_gone_and_needed_is_made_again_after_a_while(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "out")
    shutil.move(tmp_path / "out", tmp_path / "archive")
    assert "is gone: bring it back, or it is made again in" in watched.turn()
    assert not (tmp_path / "out").exists()
    time.sleep(0.25)
    assert watched.turn() == ""
    assert watched.where == str(tmp_path / "out")


def test_a_folder_that_comes_back_is_not_made_again(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "out")
    os.rename(tmp_path / "out", tmp_path / "away")
    assert "is gone" in watched.turn()
    os.rename(tmp_path / "away", tmp_path / "out")
    assert watched.turn() == ""
    os.rename(tmp_path / "out", tmp_path / "away")
    time.sleep(0.25)
    assert "is gone" in watched.turn(), "the time counts from when it was gone this time"


def test_another_disk_in_its_place_is_a_fault(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "out")
    watched.storage._devices = {-1}
    assert watched.turn() == "", "its own probe is there: mounted again under another number"
    for file in (tmp_path / "out").iterdir():
        file.unlink()
    watched.storage._devices = {-1}
    assert "another file system is there now" in watched.turn()


def test_a_mount_on_the_same_device_is_missed_while_it_holds_what_is_unfinished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "mountinfo"
    monkeypatch.setattr(mounts, "MOUNT_TABLE", table)
    lines = ["1 0 8:1 / / rw - ext4 /dev/vda rw"]
    mount = f"2 1 8:1 /films {tmp_path}/archive rw - ext4 /dev/vda rw"
    table.write_text("\n".join([*lines, mount]))
    watched = Watched(tmp_path, "other", "archive/out", absent_s=0.0)
    assert watched.turn() == ""
    table.write_text("\n".join(lines))
    shutil.rmtree(tmp_path / "archive", ignore_errors=True)
    for _ in range(3):
        assert "is no longer mounted" in watched.turn()
        time.sleep(0.1)
    assert not (tmp_path / "archive").exists()
    watched.names = watched.names[:1]
    assert watched.turn() == "", "what is finished may go"


@pytest.mark.parametrize("plant", [os.symlink, os.link])
def test_links_at_the_names_of_the_probe_lead_nowhere(
    tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    sentinel = tmp_path / "sentinel"
    sentinel.write_text("untouched")
    watched = Watched(tmp_path, "out")
    (name,) = os.listdir(tmp_path / "out")
    plant(sentinel, tmp_path / "out" / f"{name}.check")
    (tmp_path / "out" / name).unlink()
    plant(sentinel, tmp_path / "out" / name)
    assert watched.turn() == ""
    assert sentinel.read_text() == "untouched"
    assert watched.where == str(tmp_path / "out")
