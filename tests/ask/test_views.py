"""What the views hold of reports that are known."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import registry
from analyzer.ask import results
from analyzer.errors import InputError
from analyzer.inference.runtime import Runtime
from tests.support.reports import Face, make_report


def ask(folder: Path, sql: str, catalogue: Path | None = None) -> list[tuple]:
    with results.opened(folder, sql, catalogue) as opened:
        return list(opened.ask(sql).rows())


def test_faces_of_films_and_stills_have_one_form(folder):
    rows = ask(folder, "SELECT medium, frame, still, sex_label, ethnicity_label FROM faces "
                       "ORDER BY ALL")  # fmt: skip
    assert len(rows) == 7 + 3 + 1
    assert rows[-1] == ("sub [1]/new*", 5, None, "m", None)
    assert ("still", None, "a\\udcff.jpg", "m", "Indian") in rows


def test_labels_stay_text(folder):
    types = dict(row[:2] for row in ask(folder, "DESCRIBE faces"))
    assert {types[name] for name in ("sex_label", "person_sex_label", "name")} == {"VARCHAR"}
    assert ask(folder, "SELECT DISTINCT sex_label FROM persons WHERE sex_label = 'f'") == [("f",)]


def test_persons(folder):
    columns = "medium, who, sex_label, age_label, age_low, face_count, track_count, screen_time_s"
    assert ask(folder, f"SELECT {columns} FROM persons WHERE medium = 'old'") == [
        ("old", "Ada", "f", 61.0, 56.0, 4, 1, 0.8),
        ("old", "old person 1", "m", 40.0, 35.0, 2, 1, 0.4),
        ("old", "old person 2", "f", 30.0, 25.0, 1, 1, 0.2),
    ]


def test_persons_of_an_identity_store_have_its_number(tmp_path):
    report = make_report([Face(0, 0.0, (10, 20, 110, 140))])
    persons = tuple(replace(person, identity_id=7) for person in report.persons)
    remembered = replace(report, persons=persons, is_remembered=True)
    exporter = registry.load("export", "parquet", runtime=Runtime())
    exporter.write(remembered, tmp_path / "a.parquet")
    assert ask(tmp_path, "SELECT identity_id, who FROM persons") == [(7, "identity 7")]


def test_appearances_have_the_unidentified_faces(folder):
    columns = "who, start_s, end_s, duration_s"
    rows = ask(folder, f"SELECT {columns} FROM appearances WHERE medium LIKE 'sub%'")
    assert rows == [("Ada", 0.0, 0.4, 0.4), (None, 0.2, 0.4, 0.2)]


def test_shots(folder):
    assert ask(folder, "SELECT medium, shot, still, person_count, person_ids FROM shots") == [
        ("still", 0, "a\\udcff.jpg", 1, [0])
    ]


def test_media_have_the_year_of_their_name(folder):
    rows = ask(folder, "SELECT medium, year, decade, person_count, describer FROM media")
    assert rows == [
        ("nobody", None, None, 0, None),
        ("old", 1957, 1950, 3, "dlib_resnet"),
        ("still", None, None, 1, None),
        ("sub [1]/new*", 2021, 2020, 1, "dlib_resnet"),
    ]


def test_a_catalogue_gives_columns_and_years(folder, tmp_path):
    catalogue = tmp_path / "films [all].csv"
    catalogue.write_text(
        "source_path,year,country\nfilms/old (1957).mp4,1961-05-01,FR\nother.mp4,1990,IT\n"
    )
    rows = ask(
        folder, "SELECT year, decade, catalogue_country FROM media ORDER BY medium", catalogue
    )
    assert rows == [(None, None, None), (1961, 1960, "FR"), (None, None, None), (2021, 2020, None)]
    catalogue.write_text("path\nx\n")
    with pytest.raises(InputError, match="no column source_path"):
        ask(folder, "SELECT * FROM media", catalogue)
    with pytest.raises(InputError, match="cannot be read as a catalogue"):
        ask(folder, "SELECT * FROM media", tmp_path / "none.csv")


def test_all_views_are_listed(folder):
    listed = [name for (name,) in ask(folder, "SHOW TABLES")]
    assert listed == ["appearances", "faces", "media", "persons", "shots"]


def test_files_that_are_no_results_are_told(folder, tmp_path):
    with results.opened(folder, "SELECT 1") as opened:
        assert [note.partition(": ")[2] for note in opened.notes] == [
            "no parquet file, or damaged: left out"
        ]
    with pytest.raises(InputError, match="no such folder: give the folder of the results"):
        ask(tmp_path / "none", "SELECT 1")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="add parquet to --export, or dest_parquet"):
        ask(tmp_path / "empty", "SELECT 1")
