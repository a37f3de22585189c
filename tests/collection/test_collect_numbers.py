"""Collections of media that were matched with an identity store: both say the same."""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analyzer.commands._program import main
from analyzer.identities.address import open_store
from analyzer.identities.archive import PeopleOfArchive
from analyzer.identities.corrections import Corrections
from analyzer.identities.records import Settings
from analyzer.identities.remember import remember
from analyzer.reports import report_file
from analyzer.types import MediaReport
from tests.support.reports import report_of_people

SETTINGS = Settings(model="dlib_resnet", threshold=0.36)


class Shelf:
    """Films, their reports, and a store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = str(folder / "people.identities")
        self.store = open_store(self.url, settings=SETTINGS)
        self.reports: list[str] = []

    def film(self, name: str, *axes: int, names: Mapping[int, str] | None = None) -> MediaReport:
        """A report of people that no store knows."""
        report = report_of_people(self.folder / f"{name}.mp4", *axes)
        given = {**report.provenance["options"], "describer": "dlib_resnet"}
        persons = [replace(p, name=(names or {}).get(p.person_id)) for p in report.persons]
        return replace(
            report,
            persons=tuple(persons),
            provenance={"options": given, "cluster_threshold": 0.5},
        )

    def keep(self, name: str, report: MediaReport) -> None:
        path = self.folder / f"{name}.report.zip"
        report_file.save(report, path, portraits={})
        self.reports.append(str(path))

    def add(self, name: str, *axes: int) -> None:
        """Keep the report of a film that is matched with the store."""
        self.keep(name, remember(self.film(name, *axes), self.store, key=name))

    def collect(self, *options: str) -> list[dict[str, str]]:
        out = self.folder / "out"
        assert main(["collect", *self.reports, "-o", str(out), *options]) == 0
        with (out / "identities.csv").open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    def same_as_store(self, rows: list[dict[str, str]]) -> bool:
        """Say whether rows have the people of the store, with their counts."""
        listed = {
            (str(p.identity), p.name or "", str(p.media), str(p.faces), f"{p.screen_time_s:.3f}")
            for p in PeopleOfArchive(self.store).most()
        }
        columns = ("identity_id", "name", "media_count", "face_count", "screen_time_s")
        return listed == {tuple(row[name] for name in columns) for row in rows}


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    opened = Shelf(tmp_path)
    yield opened
    opened.store.close()


def test_numbers_are_those_of_the_store(shelf: Shelf) -> None:
    shelf.add("zero", 6)
    shelf.add("one", 3, 5)
    shelf.add("two", 5, 3, 1)
    rows = shelf.collect()
    assert shelf.same_as_store(rows)
    assert [row["identity_id"] for row in rows] != ["0", "1", "2", "3"], "most time first, as ever"
    times = [float(row["screen_time_s"]) for row in rows]
    assert times == sorted(times, reverse=True)


def test_who_clustering_would_join_is_as_the_store_has_it(shelf: Shelf) -> None:
    """The threshold of clusters is wider than that of the store."""
    near = np.eye(8, dtype=np.float32)[3] + 0.45 * np.eye(8, dtype=np.float32)[7]
    shelf.add("one", 3)
    report = shelf.film("two", 3)
    centroids = (near / np.linalg.norm(near))[None]
    alone = replace(report, identities=replace(report.identities, centroids=centroids))
    shelf.keep("two", remember(alone, shelf.store, key="two"))
    assert len(shelf.collect("--cluster_threshold", "1.2")) == 2
    assert shelf.same_as_store(shelf.collect())


def test_merges_splits_and_names_are_followed_with_names(shelf: Shelf) -> None:
    shelf.add("one", 3, 5)
    shelf.add("two", 5, 3, 1)
    shelf.add("three", 3)
    before = shelf.collect()
    say = Corrections(shelf.store, "ada")
    say.name(0, "Ada")
    say.merge(0, 2)
    say.split(1, [(2, 0)])
    assert shelf.collect() == before, "the reports stay as they are"
    rows = shelf.collect("--names", shelf.url)
    assert shelf.same_as_store(rows)
    assert {row["identity_id"] for row in rows} == {"0", "1", "3"}
    for event in (3, 2, 1):
        say.undo(event)
    assert shelf.collect("--names", shelf.url) == before


def test_who_no_store_knows_joins_a_number_or_has_one_after_all(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.add("one", 3, 5)
    shelf.keep("two", shelf.film("two", 5, 1))
    rows = {row["identity_id"]: row["media_count"] for row in shelf.collect()}
    assert rows == {"0": "1", "1": "2", "2": "1"}
    assert "1 media were not matched with an identity store" in capsys.readouterr().err


def test_without_a_store_the_number_is_the_place(
    shelf: Shelf, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.keep("one", shelf.film("one", 3, 5))
    shelf.keep("two", shelf.film("two", 5, 1))
    assert [row["identity_id"] for row in shelf.collect()] == ["0", "1", "2"]
    assert "not matched" not in capsys.readouterr().err


def test_a_name_without_a_number_is_that_of_the_only_number_with_it(shelf: Shelf) -> None:
    known = remember(shelf.film("one", 3, names={0: "Ada"}), shelf.store, key="one")
    shelf.keep("one", known)
    shelf.keep("two", shelf.film("two", 6, 2, names={0: "Ada", 1: "Grace"}))
    rows = {row["name"]: (row["identity_id"], row["media_count"]) for row in shelf.collect()}
    assert rows == {"Ada": ("0", "2"), "Grace": ("1", "1")}


def test_reports_of_another_store_are_refused(
    shelf: Shelf, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.add("one", 3, 5)
    other = open_store(str(tmp_path / "other.identities"), settings=SETTINGS)
    remember(shelf.film("elsewhere", 1, 2), other, key="elsewhere")
    other.close()
    words = ["collect", *shelf.reports, "-o", str(tmp_path / "out")]
    assert main([*words, "--names", str(tmp_path / "other.identities")]) == 2
    assert "give the store that it was analysed with" in capsys.readouterr().err
    assert main([*words, "--names", str(tmp_path / "none")]) == 2
