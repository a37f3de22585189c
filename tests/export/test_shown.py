"""What stands beside a face: sex and age of its person; what one picture gave is in the csv."""

import csv
import json
import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pysubs2
import pytest
from lxml import etree

from analyzer import registry
from analyzer.__main__ import main
from analyzer.export import _page_data, _rows
from analyzer.inference.runtime import Runtime
from analyzer.types import Attribute, MediaReport
from tests.support import readers
from tests.support.reports import Face, make_report

BOX, OTHER = (10, 20, 110, 140), (300, 20, 400, 140)
WOMAN = {
    "sex": Attribute(label="f", value=-2.0),
    "age": Attribute(label="25.2", value=3.0, low=20.0, high=30.0),
}


def report_of(engine: str, **attributes: Attribute) -> MediaReport:
    """Person 0 in two tracks that say `m 40`, and a track of nobody that says so, too."""
    faces = [
        Face(0, 0.0, BOX, track=0, sex=-1, age=2.26),
        Face(5, 0.2, BOX, track=1),
        Face(5, 0.2, OTHER, track=2),
    ]
    report = make_report(faces, persons={0: 0, 1: 0, 2: -1}, engine=engine)
    (person,) = report.persons
    return replace(report, persons=(replace(person, attributes=attributes),))


def write(name: str, report: MediaReport, folder: Path) -> Path:
    exporter = registry.load("export", name, runtime=Runtime())
    path = folder / f"a{exporter.suffix}"
    exporter.write(report, path)
    return path


@pytest.mark.parametrize("engine", ["videotracking", "video", "videokeyframes"])
class TestEveryFormat:
    def test_subtitle(self, engine: str, tmp_path: Path) -> None:
        document = pysubs2.load(str(write("ass", report_of(engine, **WOMAN), tmp_path)))
        labels = [event.plaintext for event in document if event.layer == 1]
        assert labels == ["person 0  f 25", "person 0  f 25", "m 40"]

    def test_web_annotations(self, engine: str, tmp_path: Path) -> None:
        path = write("webannotation", report_of(engine, **WOMAN), tmp_path)
        tags = [
            [body["value"] for body in item["body"] if body["purpose"] == "tagging"]
            for item in json.loads(path.read_text())["first"]["items"]
        ]
        assert tags == [["age: 25.2", "sex: f"]] * 2 + [["age: 40.0", "sex: m"]]

    def test_cvat(self, engine: str, tmp_path: Path) -> None:
        root = etree.parse(str(write("cvat", report_of(engine, **WOMAN), tmp_path)))
        shown = [
            {a.get("name"): a.text for a in track.find("box")} for track in root.iterfind("track")
        ]
        assert [(s["sex"], s["age"]) for s in shown] == [("f", "25.2")] * 2 + [("m", "40.0")]

    def test_workbook(self, engine: str, tmp_path: Path) -> None:
        rows = readers.sheet(write("xlsx", report_of(engine, **WOMAN), tmp_path), "appearances")
        assert [(r["sex_label"], r["age_label"]) for r in rows] == [("f", 25.2)] * 2 + [("m", 40)]

    def test_page(self, engine: str, tmp_path: Path) -> None:
        facts = _page_data.facts(report_of(engine, **WOMAN), tmp_path, (0.0, 0.0))
        assert facts["tracks"]["texts"] == ["f 25", "f 25", "m 40"]

    def test_a_picture_s_own_is_in_the_csv(self, engine: str, tmp_path: Path) -> None:
        with write("csv", report_of(engine, **WOMAN), tmp_path).open() as stream:
            rows = list(csv.DictReader(stream))
        assert [row["sex_label"] for row in rows] == ["f", "m", "m"]


def test_what_is_unsure_of_the_person_is_left_out() -> None:
    unsure = {**WOMAN, "sex": Attribute(label="", value=0.1)}
    texts = [_rows.sex_and_age(shown) for shown in _rows.shown_labels(report_of("video", **unsure))]
    assert texts == ["25", "25", "m 40"]


def test_a_person_without_attributes_shows_what_its_tracks_say() -> None:
    """As in reports that are made of a table."""
    texts = [_rows.sex_and_age(shown) for shown in _rows.shown_labels(report_of("video"))]
    assert texts == ["m 40"] * 3


def test_nobody_of_a_film_changes_sex_or_age(sample: Path, tmp_path: Path) -> None:
    command = ["analyze", str(sample / "sample.mp4"), "-o", str(tmp_path), "--fps", "3"]
    exports = ["--engine", "video", "--export", "csv,ass,characters"]
    assert main([*command, *exports]) == 0
    texts = defaultdict(set)
    for event in pysubs2.load(str(tmp_path / "sample.ass")):
        if event.layer == 1:
            name, _, rest = re.sub(r"\{.*?\}", "", event.text).partition("  ")
            texts[name].add(rest)
    with (tmp_path / "sample.characters.csv").open() as stream:
        people = {f"person {r['person_id']}": r for r in csv.DictReader(stream)}
    assert texts == {
        name: {f"{row['sex_label']} {float(row['age_label']):.0f}".strip()}
        for name, row in people.items()
    }
    with (tmp_path / "sample.csv").open() as stream:
        assert len({row["age_label"] for row in csv.DictReader(stream)}) > len(people)
