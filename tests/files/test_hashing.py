"""Hashes of files and of pieces are those of their content."""

import hashlib

import pytest

from analyzer.files.hashing import file_sha256, sha256


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1])
def test_a_file_has_the_hash_of_its_content(tmp_path, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    (tmp_path / "a").write_bytes(content)
    assert file_sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()


def test_pieces_are_joined(tmp_path):
    assert sha256([b"a", b"", b"bc"]).digest() == hashlib.sha256(b"abc").digest()


def test_a_missing_file_is_an_error_of_the_system(tmp_path):
    with pytest.raises(FileNotFoundError):
        file_sha256(tmp_path / "a")
