"""Fixtures that more than one folder of tests uses."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo's sample.mp4, sample.truth.json and jobs.csv, made once.

    The paths in jobs.csv are relative to the folder's parent.
    """
    folder = tmp_path_factory.mktemp("sample") / "media"
    script = ROOT / "media" / "make_sample.py"
    subprocess.run(
        [sys.executable, script, "--folder", folder], check=True, stdout=subprocess.DEVNULL
    )
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real media beside the checkout."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"no real media: {folder} is missing")
    return folder


@pytest.fixture
def weird_folder(tmp_path: Path) -> Path:
    """A folder with everything in its name that breaks scripts."""
    folder = tmp_path / 'a b\'s "c" [d],e:f;g%h=é王\n{i}\\$(j)'
    folder.mkdir()
    return folder
