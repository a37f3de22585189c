"""Only regular files are read, and no more of them than is asked for."""

import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ina_input import regular
from ina_input.regular import BoundExceeded


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(path))


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


KINDS = {
    "fifo": make_fifo,
    "socket": make_socket,
    "endless device": link_to("/dev/zero"),
    "device": link_to("/dev/null"),
    "terminal": link_to("/dev/tty"),
    "folder": Path.mkdir,
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_regular_file_is_refused_at_once(kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    KINDS[kind](tmp_path / "odd")
    (tmp_path / "link").symlink_to("odd")
    started = time.monotonic()
    for name in ("odd", "link"):
        with pytest.raises(OSError, match=r"ot a regular file|s a directory"):
            regular.read_bytes(tmp_path / name)
    assert time.monotonic() - started < 1


def test_a_fifo_with_a_writer_keeps_what_is_in_it(tmp_path):
    os.mkfifo(tmp_path / "odd")
    both = os.open(tmp_path / "odd", os.O_RDWR)
    os.write(both, b"kept")
    with pytest.raises(OSError, match="not a regular file"):
        regular.open_binary(tmp_path / "odd")
    assert os.read(both, 10) == b"kept"
    os.close(both)


def test_a_path_that_is_none_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="not a path"):
        regular.read_text("a\0b")
    with pytest.raises(FileNotFoundError):
        regular.read_text(tmp_path / "missing")


def test_a_file_is_read_below_an_open_folder(tmp_path):
    (tmp_path / "a").write_text("text")
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    with os.fdopen(regular.open_descriptor("a", dir_fd=folder)) as stream:
        assert os.get_blocking(stream.fileno())
        assert stream.read() == "text"
    os.close(folder)


def test_a_larger_file_is_refused(tmp_path):
    (tmp_path / "a").write_text("12345")
    assert regular.read_text(tmp_path / "a", limit=5) == "12345"
    with pytest.raises(BoundExceeded, match="larger than 4 bytes"):
        regular.read_bytes(tmp_path / "a", limit=4)
    with pytest.raises(BoundExceeded):
        regular.read_bytes("/proc/self/maps", limit=4)
