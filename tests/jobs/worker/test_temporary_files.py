"""Temporary files of workers: gone with the child, whatever ends it, or with the next worker."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from jobs.system.scratch import PREFIX, ScratchFolder
from tests.support.processes import ROOT, until
from tests.support.servers import serving, working

HOLDER = """
import sys, tempfile
from jobs.system import scratch
folder = scratch.ScratchFolder()
scratch.use(folder.path)
tempfile.mkdtemp(prefix="ina-mp4-")
print(flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of this process and of those that it starts."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_child_that_dies_leaves_none(tmp_path: Path, temporary: Path) -> None:
    once = tmp_path / "once"
    with serving(tmp_path, {"a": f"once {once}\nsleep 0.5"}) as server:
        with working(server.uri) as worker:
            until(lambda: once.exists() and list(temporary.glob("*/ina-parts-*")))
            assert worker.wait(60) == 0
        assert server.counts() == {"done": 1}
    assert list(temporary.iterdir()) == []


def test_a_worker_removes_those_of_a_killed_one(tmp_path: Path, temporary: Path) -> None:
    with serving(tmp_path, {"a": "if first murder"}, lease_s=2.0) as server:
        with working(server.uri, local={"is": "first"}) as worker:
            assert worker.wait(60) != 0
        until(lambda: list(temporary.glob(f"{PREFIX}*/ina-parts-*")))
        with working(server.uri) as worker:
            assert worker.wait(60) == 0
    assert list(temporary.iterdir()) == []


def test_those_of_the_living_and_of_others_stay(temporary: Path) -> None:
    (temporary / "ina-parts-other").mkdir()
    elsewhere = temporary.parent / "elsewhere"
    (elsewhere / "inner").mkdir(parents=True)
    (temporary / f"{PREFIX}link").symlink_to(elsewhere)
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    process.stdout.readline()
    ScratchFolder().remove()
    (left,) = temporary.glob("*/ina-mp4-*")
    process.kill()
    process.communicate()
    ScratchFolder().remove()
    assert not left.parent.exists()
    assert (elsewhere / "inner").is_dir()
    assert sorted(path.name for path in temporary.iterdir()) == [
        f"{PREFIX}link",
        "ina-parts-other",
    ]
