"""Zips of others: what they would expand to is known before, and what they say is not believed."""

import struct
import tracemalloc
import zipfile
import zlib

import pytest

from ina_input import archives
from ina_input.archives import DamagedZip, open_zip
from ina_input.regular import BoundExceeded


def write(path, files, packing=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", packing) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def test_files_are_read_by_their_names(tmp_path):
    path = write(tmp_path / "a.zip", {"a": b"1", "b/c": b"2" * 5_000_000})
    with open_zip(path) as archive:
        assert archive.names == ["a", "b/c"]
        assert archive.read("b/c") == b"2" * 5_000_000
        with pytest.raises(KeyError):
            archive.read("d")
        with pytest.raises(BoundExceeded, match="a: larger than 0 bytes"):
            archive.read("a", limit=0)


def test_a_bomb_is_refused_before_it_expands(tmp_path):
    path = write(tmp_path / "a.zip", {str(n): bytes(1 << 26) for n in range(2)})
    with pytest.raises(BoundExceeded, match="expands to more than"), open_zip(path):
        pass


def test_a_file_that_is_larger_than_it_says_is_not_read_to_its_end(tmp_path):
    """The file says 100 bytes: `zipfile` alone makes 200 MB of it before it cuts them off."""
    content = bytes(200_000_000)
    path = write(tmp_path / "a.zip", {"a": content})
    packed = path.read_bytes()
    stated = struct.pack("<L", len(content))
    path.write_bytes(packed.replace(stated, struct.pack("<L", 100)))
    tracemalloc.start()
    with open_zip(path) as archive, pytest.raises(DamagedZip, match="CRC"):
        archive.read("a")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20_000_000


def test_a_long_list_of_files_is_refused(tmp_path, monkeypatch):
    path = write(tmp_path / "a.zip", {str(n): b"" for n in range(100)})
    monkeypatch.setattr(archives, "MAX_ENTRIES", 99)
    with pytest.raises(BoundExceeded, match="more than 99 files"), open_zip(path):
        pass
    monkeypatch.setattr(archives, "MAX_DIRECTORY_BYTES", 1000)
    with pytest.raises(BoundExceeded, match="a list of files"), open_zip(path):
        pass


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", "1")
        archive.writestr("a", "2")
    with pytest.raises(DamagedZip, match="two files of one name"), open_zip(tmp_path / "a.zip"):
        pass


@pytest.mark.parametrize("packing", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_are_refused(packing, tmp_path):
    path = write(tmp_path / "a.zip", {"a": bytes(100)}, packing)
    with open_zip(path) as archive, pytest.raises(DamagedZip, match="another method"):
        archive.read("a")


def test_an_encrypted_file_is_refused(tmp_path):
    path = write(tmp_path / "a.zip", {"a": b"1"})
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(mark) + offset] |= 1
    path.write_bytes(content)
    with open_zip(path) as archive, pytest.raises(DamagedZip, match="encrypted"):
        archive.read("a")


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"text" * 100, zlib.compress(b"a")])
def test_what_is_no_zip_is_damaged(content, tmp_path):
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(DamagedZip), open_zip(tmp_path / "a.zip"):
        pass
