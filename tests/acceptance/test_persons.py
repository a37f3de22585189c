"""Persons of all labelled sets: how right they are, and that the document says so."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from analyzer.__main__ import main
from analyzer.evaluation import figures_table
from analyzer.options import AnalysisOptions
from tests.support import media
from tests.support.processes import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(3600)]
DOCUMENT = ROOT / "docs" / "clustering.md"
ALL_FACES = {
    ("LFW subset", ""): 0.995,
    ("clip", "5 fps"): 0.97,
    ("scene 1", "1 fps"): 0.96,
    ("scene 1", "5 fps"): 0.98,
    ("scene 1", "5 fps, gamma 0.7"): 0.98,
    ("scene 1", "5 fps, gamma 1.8"): 0.98,
    ("scene 2", "1 fps"): 0.98,
    ("scene 2", "5 fps"): 0.98,
    ("scene 2", "5 fps, gamma 0.7"): 0.97,
    ("scene 2", "5 fps, gamma 1.8"): 0.98,
    ("sample", "2 fps"): 1.0,
}
"""Set and condition -> least F1 of the pairs of all labelled faces: what is wanted."""
OPEN = {
    ("clip", "5 fps"): (0.96, "the detector misses three faces of the pianist, who is two persons"),
}
"""Those that miss it: what they reach, and why."""


@pytest.fixture(scope="module")
def written(
    shared: Path, sample: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[tuple[str, str], Any]]:
    """The document as the command writes it, and the figures of the default clusterer."""
    folder = tmp_path_factory.mktemp("sets")
    listed = media.labelled_sets(folder, shared=shared, sample=sample)
    page, figures = Path(shutil.copy(DOCUMENT, folder)), folder / "figures.json"
    arguments = ["evaluate", "clustering", "--sets", str(listed), "--json", str(figures)]
    assert main([*arguments, "--write", str(page)]) == 0
    return page, {
        (run["set"], run["condition"]): run
        for run in json.loads(figures.read_text())["runs"]
        if run["clusterer"] == AnalysisOptions().clusterer
    }


def test_the_document_says_what_the_command_says(written: tuple[Path, Any]) -> None:
    assert figures_table.read(DOCUMENT) == figures_table.read(written[0])


def wanted(key: tuple[str, str]) -> Any:
    marks = [pytest.mark.xfail(strict=True, reason=OPEN[key][1])] if key in OPEN else []
    return pytest.param(key, marks=marks, id=", ".join(filter(None, key)))


@pytest.mark.parametrize("key", [wanted(key) for key in ALL_FACES])
def test_all_labelled_faces_are_with_their_person(
    key: tuple[str, str], written: tuple[Path, dict[tuple[str, str], Any]]
) -> None:
    run = written[1][key]
    print(run["all"])
    assert run["all"]["pairs"]["f1"] >= ALL_FACES[key]


@pytest.mark.parametrize("key", OPEN, ids=", ".join)
def test_what_is_open_gets_no_worse(
    key: tuple[str, str], written: tuple[Path, dict[tuple[str, str], Any]]
) -> None:
    pairs = written[1][key]["all"]["pairs"]
    assert pairs["f1"] >= OPEN[key][0]
    assert pairs["precision"] == 1


def test_found_faces_of_the_clip_are_with_their_person(
    written: tuple[Path, dict[tuple[str, str], Any]],
) -> None:
    """The detector misses three faces of the pianist: of all labelled, 0.979 would be perfect."""
    run = written[1]["clip", "5 fps"]
    print(f"{run['found']} of {run['labelled']} found, F1 of all {run['all']['pairs']['f1']:.3f}")
    assert run["of_found"]["pairs"]["f1"] >= 0.97
    assert run["found"] >= 105


def test_the_edge_of_the_picture_makes_no_two_people_one(
    written: tuple[Path, dict[tuple[str, str], Any]],
) -> None:
    for (name, condition), run in written[1].items():
        if name == "scene 2":
            print(condition, run["all"]["pairs"])
            assert run["all"]["pairs"]["precision"] >= 0.99
