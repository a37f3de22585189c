"""The recipes in Python of docs/formats.md, run on results, each in a process of its own."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import registry
from analyzer.inference.runtime import Runtime
from tests.support import document_pages
from tests.support.reports import Face, make_report

PAGE = "docs/formats.md"
NAME = "Tom & Jerry <3"
NEEDED = {"duckdb": "faces", "motmetrics": "scores", "webvtt": "captions", "pyarrow": "about"}
"""Library -> what its recipe makes."""


def recipe(library: str) -> str:
    (text,) = (
        block.text
        for block in document_pages.blocks(PAGE)
        if block.language == "python" and f"import {library}" in block.text
    )
    return text


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of two women, who make a column of `f` alone."""
    folder = tmp_path_factory.mktemp("recipes")
    (folder / "results").mkdir()
    faces = [
        Face(number, number / 25, (10 + 300 * track, 20, 110 + 300 * track, 140), track, sex=-1.5)
        for number in range(4)
        for track in range(2)
    ]
    report = make_report(faces, names={0: NAME})
    women = {head: replace(d, label=("f",) * len(d.label)) if head == "sex" else d
             for head, d in report.track_attributes.items()}  # fmt: skip
    report = replace(report, track_attributes=women)
    for name in ("csv", "mot", "parquet", "vtt"):
        exporter = registry.load("export", name, runtime=Runtime())
        exporter.write(report, folder / "results" / f"film{exporter.suffix}")
    return folder


@pytest.mark.parametrize(
    ("library", "expected"),
    [
        ("duckdb", ["'f'", NAME]),
        ("motmetrics", ["mota  idf1", "1.0   1.0"]),
        ("webvtt", [NAME]),
        ("pyarrow", ["'schema': 1"]),
    ],
)
def test_recipes_do_what_the_page_says(library: str, expected: list[str], results: Path) -> None:
    pytest.importorskip(library, reason=f"pip install {library}")
    code = f"{recipe(library)}\nprint({NEEDED[library]})\n"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=results, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for text in expected:
        assert text in done.stdout
    assert "False" not in done.stdout
