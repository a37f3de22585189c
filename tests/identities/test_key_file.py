"""Files that only their owner may read: keys of identity stores, and stores."""

import os
from pathlib import Path

import numpy as np
import pytest

from analyzer.__main__ import main
from analyzer.errors import UsageError
from analyzer.identities.address import open_store
from analyzer.identities.encryption import key_file
from analyzer.identities.records import Settings


def test_the_file_of_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "people.key"
    before = os.umask(0)
    try:
        assert main(["identities", "key", str(path)]) == 0
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    key = key_file.read(str(path))
    assert key is not None
    assert len(key) == 32
    assert main(["identities", "key", str(path)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert key_file.read(str(path)) == key
    assert key_file.read(None) is None


@pytest.mark.parametrize(
    ("fault", "cure"),
    [
        ("open", "can be read by others: chmod 600 it"),
        ("short", "64 hexadecimal digits"),
        ("missing", "No such file"),
        ("pipe", "not a regular file"),
    ],
)
def test_a_file_that_is_no_key_is_refused(fault: str, cure: str, tmp_path: Path) -> None:
    path = tmp_path / "people.key"
    if fault == "pipe":
        os.mkfifo(path, 0o600)
    elif fault != "missing":
        path.write_text("00" * (31 if fault == "short" else 32))
        path.chmod(0o644 if fault == "open" else 0o600)
    with pytest.raises(UsageError, match=cure):
        key_file.read(str(path))


def test_a_file_is_its_owners_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "known.identities"
    before = os.umask(0)
    try:
        store = open_store(str(path), settings=Settings(model="test", threshold=0.6))
        store.match_or_add(np.eye(2, 8, dtype=np.float32), np.ones(2, np.int64), key="call")
        store.records._db.execute("BEGIN IMMEDIATE")
        store.records._db.execute("DELETE FROM appearance")
        modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        store.records._db.execute("ROLLBACK")
        store.close()
    finally:
        os.umask(before)
    assert modes == {"known.identities": 0o600, "known.identities-journal": 0o600}
    assert not caplog.records
    path.chmod(0o640)
    open_store(str(path), settings=None).close()
    assert "can be read by others: chmod 600 it" in caplog.text
