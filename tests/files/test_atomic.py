"""A file is complete or not there, also if two threads write it at once."""

import errno
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from analyzer.errors import ResourceError
from analyzer.files.atomic import atomic_write, atomic_write_bytes

MAX_NAME_BYTES = 255


def test_a_missing_folder_is_created(tmp_path):
    path = tmp_path / "a" / "b.csv"
    atomic_write_bytes(path, b"content")
    assert path.read_bytes() == b"content"
    assert list(path.parent.iterdir()) == [path]


def test_the_old_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with atomic_write(path) as part:
        part.write_text("new")
        assert part.name.startswith(f"a.csv.part.{os.getpid()}")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError(errno.ENOSPC, "no space")])
def test_an_error_leaves_the_old_file_and_no_part(tmp_path, error):
    path = tmp_path / "a.csv"
    path.write_text("old")

    def fail() -> None:
        with atomic_write(path) as part:
            part.write_text("half")
            raise error

    with pytest.raises((ValueError, ResourceError)):
        fail()
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_text() == "old"


def test_the_message_names_the_file_and_the_cure(tmp_path):
    (tmp_path / "a").write_text("a file, not a folder")
    path = tmp_path / "a" / "b.csv"
    with pytest.raises(ResourceError) as caught:
        atomic_write_bytes(path, b"content")
    assert str(caught.value) == (
        f"{path}: cannot be written: File exists; check its folder, rights and space"
    )


def test_threads_do_not_share_a_part(tmp_path):
    path, barrier = tmp_path / "a.csv", Barrier(4)

    def write(number: int) -> Path:
        with atomic_write(path) as part:
            barrier.wait(timeout=60)
            part.write_text(str(number) * 1000)
        return part

    with ThreadPoolExecutor(4) as pool:
        parts = set(pool.map(write, range(4)))
    assert len(parts) == 4
    assert path.read_text() in {str(number) * 1000 for number in range(4)}
    assert list(tmp_path.iterdir()) == [path]


def test_long_names_of_films_have_room_for_the_part(tmp_path, monkeypatch):
    """235 bytes, with the longest process id of Linux."""
    monkeypatch.setattr(os, "getpid", lambda: 4194304)
    name = "x" * (MAX_NAME_BYTES - len(".part.4194304.000000"))
    atomic_write_bytes(tmp_path / name, b"content")
    assert [path.name for path in tmp_path.iterdir()] == [name]
