"""Perceived sex of the people of two videos, labelled by eye."""

import json
from pathlib import Path

import pytest

from analyzer.__main__ import main
from tests.support.processes import ROOT

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
PEOPLE = ROOT / "media" / "people.csv"


def test_adults_in_films_are_told_apart(shared: Path, tmp_path: Path) -> None:
    header, *lines = PEOPLE.read_text().splitlines()
    there = [line.replace("../../shared", str(shared)) for line in lines]
    there = [line.replace("../tests", str(ROOT / "tests")) for line in there]
    if not all(Path(line.partition(",")[0]).exists() for line in there):
        pytest.skip("the videos are missing")
    people, figures = tmp_path / "people.csv", tmp_path / "figures.json"
    people.write_text("\n".join([header, *there]))
    assert main(["evaluate", "attributes", "--people", str(people), "--json", str(figures)]) == 0
    measured = json.loads(figures.read_text())["people"]
    print(json.dumps(measured["figures"], indent=1))
    assert sum(one["found"] > 0 for one in measured["persons"]) >= 16
    assert measured["figures"]["persons"]["sex_given_accuracy"]["value"] >= 0.8
