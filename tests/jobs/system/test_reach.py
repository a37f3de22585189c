"""How paths are found: there, denied, missing among others, or their storage away."""

import os
from contextlib import closing
from pathlib import Path

import pytest

from jobs.system.reach import Reach, gone_at, reach, worst_reach
from tests.support.injectors import Sentinel, sshfs


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "disk" / "films"
    folder.mkdir(parents=True)
    (folder / "a.mp4").touch()
    (folder / "empty").mkdir()
    (folder / "link.mp4").symlink_to("/nowhere/b.mp4")
    (folder / "stale.mp4").symlink_to(folder / "b.mp4")
    os.mkfifo(folder / "fifo")
    return folder


@pytest.mark.parametrize(
    ("name", "state"),
    [
        ("a.mp4", Reach.THERE),
        ("", Reach.THERE),
        ("fifo", Reach.THERE),
        ("b.mp4", Reach.MISSING),
        ("stale.mp4", Reach.MISSING),
        ("x\0y", Reach.MISSING),
        ("x" * 300, Reach.MISSING),
        ("a.mp4/b", Reach.UNREACHABLE),
        ("link.mp4", Reach.UNREACHABLE),
        ("empty", Reach.UNREACHABLE),
        ("empty/a.mp4", Reach.UNREACHABLE),
        ("none/a.mp4", Reach.UNREACHABLE),
    ],
)
def test_a_path_is_there_or_missing_or_its_folder_is(films: Path, name: str, state: Reach) -> None:
    assert reach(f"{films}/{name}") is state


def test_what_lies_outside_the_root_is_not_touched(films: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "c.mp4").touch()
    (films / "out.mp4").symlink_to(tmp_path / "outside" / "c.mp4")
    (films / "in.mp4").symlink_to(films / "a.mp4")
    root = str(films)
    with closing(Sentinel(tmp_path / "outside")) as watched:
        assert reach(f"{films}/out.mp4", root) is Reach.THERE
        assert watched.accesses() == []
        assert reach(f"{films}/out.mp4") is Reach.THERE
        assert len(watched.accesses()) == 1
    found = {name: reach(f"{films}/{name}", root) for name in ("in.mp4", "", "none", "empty")}
    there, away = Reach.THERE, Reach.UNREACHABLE
    assert found == {"in.mp4": there, "": there, "none": Reach.MISSING, "empty": away}


def test_a_file_that_others_may_read_is_denied(films: Path) -> None:
    (films / "a.mp4").chmod(0)
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    assert reach(str(films / "a.mp4")) is Reach.DENIED


def test_a_mount_that_has_lost_its_server_is_broken(tmp_path: Path) -> None:
    with sshfs(tmp_path / "disk", tmp_path / "behind") as server:
        (tmp_path / "behind" / "a.mp4").touch()
        assert reach(str(tmp_path / "disk" / "a.mp4")) is Reach.THERE
        server.kill()
        server.wait()
        assert reach(str(tmp_path / "disk" / "a.mp4")) is Reach.BROKEN


def test_the_worst_of_several_paths_counts(films: Path) -> None:
    paths = [str(films / name) for name in ("a.mp4", "empty/x", "b.mp4")]
    assert worst_reach(paths) == (Reach.UNREACHABLE, paths[1])
    assert worst_reach([]) == (Reach.THERE, "")


def test_what_is_gone_is_named_at_its_top(films: Path) -> None:
    assert gone_at(str(films / "none" / "sub" / "a.mp4")) == str(films / "none")
    assert gone_at(str(films / "empty" / "a.mp4")) == str(films / "empty")
    assert gone_at(str(films / "link.mp4")) == "/nowhere"
    assert gone_at(str(films / "empty")) == str(films / "empty")
