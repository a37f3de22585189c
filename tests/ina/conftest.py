"""A folder with a joblist of two media that are not there."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "jobs.csv").write_text(
        "source_path,dest_csv\nnone.mp4,out/none.csv\nnothing.mp4,out/nothing.csv\n"
    )
    return tmp_path
