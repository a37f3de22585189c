"""Fixtures that more than one folder of tests uses."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Sample:
    """The demo's video. Run joblists from ``folder``: their paths are relative to it."""

    folder: Path
    video: Path
    jobs: Path
    truth: dict[str, Any]


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """Make the demo's video, its joblist and its truth, once."""
    folder = tmp_path_factory.mktemp("sample")
    media = folder / "media"
    script = ROOT / "media" / "make_sample.py"
    subprocess.run(
        [sys.executable, script, "--folder", media], check=True, stdout=subprocess.DEVNULL
    )
    truth = json.loads((media / "sample.truth.json").read_text(encoding="utf-8"))
    return Sample(folder, media / "sample.mp4", media / "jobs.csv", truth)


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
    folder = tmp_path / "a b's \"c\" [d],e:f;g%h=é王\n{i}\\$(j)"
    folder.mkdir()
    return folder
