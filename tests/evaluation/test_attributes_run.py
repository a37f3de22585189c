"""`evaluate attributes`: labels that are given, disturbances, reviews, and the document."""

import json
from argparse import Namespace

import numpy as np
import pytest

from analyzer import registry
from analyzer.__main__ import main
from analyzer.commands import _figures
from analyzer.errors import InputError, ResourceError, UsageError
from analyzer.evaluation import (
    attributes,
    attributes_run,
    attributes_tables,
    intervals,
    marked_tables,
    people_seen,
    truth,
)
from tests.support.observations import TABLES, WholePicture, sure_of
from tests.support.processes import ROOT

TOP = "crop, top 10 %"


class Believes:
    """A describer that reads the classes from the pixels, and is a woman's under a black top."""

    calibration = TABLES

    def describe(self, images):
        classes = images[:, 75, 0].astype(int)
        classes[~images[:, 0, 0].any(axis=1), 0] = 0
        return sure_of(classes)


class Classes:
    """Pictures with their classes in their pixels; a tenth of the labels of sex is wrong."""

    digest = ""

    def __init__(self, n=140):
        random = np.random.default_rng(1)
        true = [random.integers(0, size, n) for size in (2, 9, 7)]
        self._colours = np.stack(true, axis=1)
        wrong = np.arange(n) % 10 == 0
        labelled = np.where(wrong, 1 - true[0], true[0])
        self.labels = dict(zip(attributes.CLASSES, (labelled, *true[1:]), strict=True))
        unclear = np.arange(n) % 20 == 1
        self.reviewed = {"corrected": true[0], "cleaned": np.where(unclear, -1, true[0])}

    def __len__(self):
        return len(self._colours)

    def chips(self, start, stop):
        colours = self._colours[start:stop].astype(np.uint8)[:, None, None]
        # A class is small: light enough not to be black where nothing covers it.
        pictures = np.broadcast_to(colours, (len(colours), 150, 150, 3)).copy()
        pictures[:, :10] = 200
        return pictures


@pytest.fixture(scope="module")
def report():
    return attributes_run.measure(
        Believes(),
        WholePicture(),
        Classes(),
        labels="raw",
        disturbances=(TOP,),
        min_sex_age=18.0,
        min_sex_confidence=0.0,
        progress=lambda _: None,
    )


def test_labels_that_are_not_given_do_not_count(report):
    ages = report["sizes"]["150"]["groups"]["ages"]
    assert ages["children, 0-9"]["sex_given"]["value"] == 0
    assert ages["children, 0-9"]["sex_given_accuracy"] is None
    assert ages["adults, 20+"]["sex_given"]["value"] == 1
    assert ages["old, 60+"]["count"] < ages["adults, 20+"]["count"]
    assert 0.8 < ages["adults, 20+"]["sex_given_accuracy"]["value"] < 0.97
    spans = ("children, 0-9", "teens, 10-19", "adults, 20+")
    assert sum(ages[name]["count"] for name in spans) == 140


def test_the_distance_between_groups_has_an_interval(report):
    gap = report["sizes"]["150"]["gaps"]["sex_accuracy"]
    rows = report["sizes"]["150"]["groups"]["ethnicity"]
    shares = {name: row["sex_accuracy"]["value"] for name, row in rows.items()}
    assert gap["value"] == pytest.approx(max(shares.values()) - min(shares.values()))
    assert shares[gap["best"]] == max(shares.values())
    assert gap["low"] < gap["value"] < gap["high"]


def test_newcombes_interval_of_a_difference():
    """His table II, (a): 56 of 70 and 48 of 80."""
    shares = []
    for part, whole in ((56, 70), (48, 80)):
        low, high = intervals.wilson(part, whole)
        shares.append({"value": part / whole, "low": low, "high": high})
    assert intervals.difference(*shares) == pytest.approx((0.0524, 0.3339), abs=1e-4)


def test_what_a_cover_changes_is_counted(report):
    none, cover = report["disturbances"][attributes_run.CLEAN], report["disturbances"][TOP]
    assert none["flips"]["value"] == 0
    men = Classes().reviewed["corrected"].mean()
    assert cover["flips"]["value"] == pytest.approx(men)
    assert cover["overall"]["sex_accuracy"]["value"] < none["overall"]["sex_accuracy"]["value"]
    assert cover["adults"]["count"] == none["adults"]["count"] < 140


def test_reviewed_labels_stand_beside_the_raw_ones(report):
    labels = report["labels"]
    assert labels["raw"]["overall"]["sex_accuracy"]["value"] == 0.9
    assert labels["corrected"]["overall"]["sex_accuracy"]["value"] == 1
    assert labels["cleaned"]["overall"]["count"] == 133
    ages = labels["cleaned"]["ages"]
    assert sum(row["count"] for name, row in ages.items() if name != "old, 60+") == 133
    first = attributes_run.FirstPictures(Classes(), 30)
    assert len(first) == len(first.labels["sex"]) == len(first.reviewed["cleaned"]) == 30
    assert len(first.chips(20, 50)) == 10


def test_the_document_gets_every_table(report, tmp_path):
    page = tmp_path / "page.md"
    people = {
        "figures": {"persons": {"count": 1, **dict.fromkeys(SHARES)}},
        "persons": [PERSON, {**PERSON, "found": 0}],
    }
    names = list(attributes_tables._TABLES)
    marks = [f"<!-- table: {attributes_tables.PREFIX}{name} -->" for name in names]
    page.write_text("\n<!-- end of table -->\n".join([*marks, ""]))
    attributes_tables.write(page, {**report, "people": people})
    text = page.read_text()
    assert text.count("\n| --- |") == len(names)
    assert "| film.mp4 | boy | 2 of 3 | m | none | 3 to 9 | 6 | 2 to 12 |" in text
    assert "| raw: all | 140 | 90.0 (" in text
    page.write_text(f"<!-- table: {attributes_tables.PREFIX}moods -->\n<!-- end of table -->\n")
    with pytest.raises(Exception, match="moods"):
        attributes_tables.check(page)


def test_a_table_without_its_end_is_refused_and_keeps_what_follows(tmp_path):
    page, mark = tmp_path / "page.md", f"<!-- table: {attributes_tables.PREFIX}%s -->"
    text = f"{mark % 'sizes'}\n\nText to keep.\n\n{mark % 'gaps'}\n<!-- end of table -->\n"
    page.write_text(text)
    with pytest.raises(InputError, match="no place for the table"):
        attributes_tables.check(page)
    with pytest.raises(InputError, match="no place for the table"):
        marked_tables.write(page, f"{attributes_tables.PREFIX}sizes", ["a"], [["1"]])
    assert page.read_text() == text
    page.write_bytes("é".encode("latin-1"))
    with pytest.raises(InputError, match="save it as UTF-8"):
        attributes_tables.check(page)


def test_a_describer_without_a_calibration_has_no_table_of_abstention(report, tmp_path):
    page = tmp_path / "page.md"
    text = f"<!-- table: {attributes_tables.PREFIX}abstention -->\n<!-- end of table -->\n"
    page.write_text(text)
    sizes = {
        px: {name: part for name, part in figures.items() if name != "abstention"}
        for px, figures in report["sizes"].items()
    }
    attributes_tables.write(page, {**report, "sizes": sizes})
    assert page.read_text() == text


def test_labels_that_nobody_reviewed_are_not_counted_by():
    pictures = Classes()
    pictures.reviewed = {}
    with pytest.raises(UsageError, match="cleaned"):
        attributes_run.measure(
            Believes(),
            WholePicture(),
            pictures,
            labels="cleaned",
            disturbances=(),
            min_sex_age=18.0,
            min_sex_confidence=0.0,
            progress=lambda _: None,
        )


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("film.mp4,labels.csv,x,m,18", "must be numbers"),
        ("film.mp4,labels.csv,x,m,18,20,22", "more cells than columns"),
        ("film.mp4,labels.csv,x,m,18,inf", "from 0 on"),
        ("film.mp4,labels.csv,x,m,-1,9", "from 0 on"),
        ("film.mp4,labels.csv,x,m,nan,9", "from 0 on"),
    ],
)
def test_lines_and_ages_that_nobody_has_are_refused(line, fault, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text(f"{','.join(people_seen.COLUMNS)}\n{line}\n")
    with pytest.raises(InputError, match=f"line 2.*{fault}"):
        people_seen.read(people)


def test_figures_that_cannot_be_written_are_said_in_words(report, tmp_path):
    path = tmp_path / "none" / "figures.json"
    with pytest.raises(ResourceError, match="cannot be written"):
        _figures.save(Namespace(json=path), report, None)


def test_the_people_that_ship_are_labelled():
    people = people_seen.read(ROOT / "media" / "people.csv")
    assert len(people) == len({(row.labels, row.person) for row in people}) == 18
    for row in people:
        assert row.person in truth.of_video(row.labels).persons


SHARES = ("sex_accuracy", "sex_given", "sex_given_accuracy", "age_within")
PERSON = {
    **{"video": "film.mp4", "person": "boy", "sex": "m", "age_from": 3.0, "age_to": 9.0},
    **{"labelled": 3, "found": 2, "given": "", "years": 6.2, "low": 2.0, "high": 12.0},
}


def test_the_page_shows_them(report):
    pytest.importorskip("jinja2")
    shown = {**report, "labels_as": "raw", "min_sex_age": 17.5, "min_sex_confidence": 0.7}
    text = registry.module("pages", "attributes").create().render(shown)
    assert "below 17.5 years, and right with a probability of at least 0.7." in text
    for heading in (
        "Distance between",
        "Light, cover",
        "corrected and cleaned",
        TOP,
        "adults, 20+",
    ):
        assert heading in text


def test_wrong_words_are_refused_before_anything_is_read(tmp_path, capsys):
    arguments = ["evaluate", "attributes", "--data", str(tmp_path / "none")]
    assert main(["evaluate", "attributes"]) == 2
    assert main([*arguments, "--disturbances", "rain"]) == 2
    assert "cap, top 10 %" in capsys.readouterr().err
    page = tmp_path / "page.md"
    page.write_text("# Page\n")
    assert main([*arguments, "--write", str(page)]) == 1
    assert "no table" in capsys.readouterr().err


def test_people_of_a_video_are_measured_by_face_and_by_person(sample, tmp_path, capsys):
    lines = (sample / "sample.labels.csv").read_text().splitlines()[1:]
    names = sorted({line.rsplit(",", 1)[1] for line in lines})
    rows = [f"sample.mp4,sample.labels.csv,{name},m,18,90" for name in names]
    people = sample / "people.csv"
    missing = "none.mp4,none.csv,nobody,f,1,2"
    header = "video,labels,person,sex,age_from,age_to"
    people.write_text("\n".join([header, *rows, missing]))
    figures = tmp_path / "figures.json"
    arguments = ["evaluate", "attributes", "--people", str(people), "--device", "cpu"]
    assert main([*arguments, "--json", str(figures)]) == 0
    assert "none.mp4 is missing" in capsys.readouterr().err
    measured = json.loads(figures.read_text())["people"]
    assert [one["person"] for one in measured["persons"]] == names
    assert measured["figures"]["persons"]["count"] == len(names)
    assert measured["figures"]["faces"]["count"] == sum(o["found"] for o in measured["persons"])
    people.write_text(f"{header}\nsample.mp4,sample.labels.csv,nobody,m,18,90\n")
    assert main(arguments) == 1
    people.write_text(f"{header}\nsample.mp4,sample.labels.csv,x,m,90,18\n")
    assert main(arguments) == 1
    assert "line 2: sex must be f or m" in capsys.readouterr().err


def test_faces_of_one_person_are_not_independent():
    people = [dict.fromkeys(SHARES, (10 * right, 10)) for right in (0, 1, 1, 1, 1, 1)]
    parts, wholes = np.array([one["sex_given"] for one in people], float).T
    low, high = intervals.bootstrap_of_ratio(parts, wholes)
    assert low < 0.6 < 0.9 < high
    assert low < float(intervals.wilson(50, 60)[0])
