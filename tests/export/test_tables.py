"""The csv and characters exporters, read back with pandas."""

from dataclasses import replace

import pandas as pd
import pytest

from analyzer.errors import ResourceError
from analyzer.export import characters, csv
from analyzer.inference.runtime import Runtime
from tests.support.reports import NAN, Face, make_report

VIDEO = "frame,bbox,detect_conf,sex_decfunc,age_decfunc,sex_label,age_label"
TRACKING = (
    "frame,bbox,face_id,detect_conf,track_conf,sex_decfunc,age_decfunc,sex_label,age_label,"
    "sex_decfunc_avg,age_decfunc_avg,sex_label_avg,age_label_avg"
)
OURS = ",time_s,person_id,name,sharpness,frontality"
FACES = (
    Face(0, 0.844014, (10.4, 20.6, 110.5, 140)),
    Face(6, 1.044014, (300, 20, 400, 140), track=3, detect_conf=NAN, track_conf=0.7),
    Face(6, 1.044014, (-5, -3, 40, 50), track=7, sex=-0.5, age=1.25),
)
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx")


def write(exporter, report, folder):
    path = folder / "x.part.3.1"
    exporter.create(runtime=Runtime()).write(report, path)
    return path


def table(exporter, report, folder, **how):
    return pd.read_csv(write(exporter, report, folder), **how)


@pytest.mark.parametrize(
    ("engine", "header"),
    [("videotracking", TRACKING), ("video", VIDEO), ("videokeyframes", VIDEO), ("image", VIDEO)],
)
@pytest.mark.parametrize("faces", [(), FACES])
def test_csv_begins_with_the_columns_of_inafaceanalyzer(engine, header, faces, tmp_path):
    kind = "image" if engine == "image" else "video"
    report = make_report(faces, engine=engine, kind=kind)
    assert write(csv, report, tmp_path).read_text().splitlines()[0] == header + OURS
    assert len(table(csv, report, tmp_path)) == len(faces)


def test_csv_has_the_values_of_the_report(tmp_path):
    report = make_report(FACES, persons={0: 0, 3: 1, 7: -1}, names={0: "Grace"})
    rows = table(csv, report, tmp_path, dtype=str, keep_default_na=False)
    assert rows.iloc[0].to_dict() == {
        "frame": "0",
        "bbox": "(10, 21, 110, 140)",
        "face_id": "0",
        "detect_conf": "0.9000",
        "track_conf": "",
        "sex_decfunc": "1.5000",
        "age_decfunc": "3.5000",
        "sex_label": "m",
        "age_label": "35.0",
        "sex_decfunc_avg": "2.2500",
        "age_decfunc_avg": "4.0000",
        "sex_label_avg": "m",
        "age_label_avg": "40.0",
        "time_s": "0.844014",
        "person_id": "0",
        "name": "Grace",
        "sharpness": "0.5000",
        "frontality": "0.7500",
    }
    assert rows["person_id"].tolist() == ["0", "1", ""]
    assert rows["detect_conf"].tolist() == ["0.9000", "", "0.9000"]
    assert rows["track_conf"].tolist() == ["", "0.7000", ""]
    assert rows["bbox"][2] == "(-5, -3, 40, 50)"


def test_csv_leaves_cells_empty_where_an_attribute_was_not_asked_for(tmp_path):
    rows = table(csv, make_report(FACES, heads=["age"]), tmp_path)
    empty = [name for name in rows if rows[name].isna().all()]
    assert empty == ["sex_decfunc", "sex_label", "sex_decfunc_avg", "sex_label_avg", "name"]


def test_csv_shows_ethnicity_only_when_asked_for(tmp_path):
    report = make_report(FACES, heads=["sex", "age", "ethnicity"])
    rows = table(csv, report, tmp_path)
    assert rows.columns[-1] == "ethnicity_label"
    assert set(rows["ethnicity_label"]) == {"Indian"}


def test_csv_of_stills_has_the_path_for_a_frame(tmp_path):
    report = make_report(FACES, engine="image", kind="image", uri="=a, b.jpg")
    assert set(table(csv, report, tmp_path)["frame"]) == {"'=a, b.jpg"}


@pytest.mark.parametrize("exporter", [csv, characters])
@pytest.mark.parametrize("name", FORMULAS)
def test_no_name_becomes_a_formula(exporter, name, tmp_path):
    report = make_report(FACES, names={0: name})
    path = write(exporter, report, tmp_path)
    with path.open(newline="") as stream:
        rows = pd.read_csv(stream, lineterminator="\n", keep_default_na=False)
    assert rows["name"][0] == "'" + name


@pytest.mark.parametrize("name", ['a "b", c', "é 王 😀", "{\\an8}<b>", "line\nline"])
@pytest.mark.parametrize("exporter", [csv, characters])
def test_names_come_out_literally(exporter, name, tmp_path):
    rows = table(exporter, make_report(FACES, names={0: name}), tmp_path, keep_default_na=False)
    assert rows["name"][0] == name


def test_lines_end_in_lf_and_text_is_utf8(tmp_path):
    path = write(csv, make_report(FACES, names={0: "é"}), tmp_path)
    assert b"\r" not in path.read_bytes()
    assert "é".encode() in path.read_bytes()


def test_characters_are_one_row_a_person(tmp_path):
    report = make_report(FACES, persons={0: 0, 3: 0, 7: -1}, names={0: "Grace"})
    rows = table(characters, report, tmp_path, dtype=str, keep_default_na=False)
    *rows, unidentified = rows.to_dict("records")
    assert rows == [
        {
            "person_id": "0",
            "name": "Grace",
            "name_distance": "0.2500",
            "sex_label": "m",
            "age_label": "40.0",
            "age_low": "30.1",
            "age_high": "55.0",
            "face_count": "2",
            "track_count": "2",
            "first_s": "0.844",
            "last_s": "1.244",
            "screen_time_s": "0.400",
            "screen_share": "0.0400",
            "mean_area_ratio": "0.0500",
            "corrected": "0",
        }
    ]
    assert unidentified == {
        **dict.fromkeys(rows[0], ""),
        "name": "unidentified faces",
        "face_count": "1",
        "track_count": "1",
        "first_s": "1.044",
        "last_s": "1.244",
        "screen_time_s": "0.200",
        "screen_share": "0.0200",
        "mean_area_ratio": unidentified["mean_area_ratio"],
        "corrected": "0",
    }
    assert float(unidentified["mean_area_ratio"]) > 0


def test_characters_without_attributes_faces_or_duration(tmp_path):
    rows = table(characters, make_report(FACES, heads=[], duration_s=0), tmp_path)
    empty = {name for name in rows if rows[name].isna().all()}
    assert {"sex_label", "age_label", "age_low", "age_high", "screen_share"} <= empty
    assert len(table(characters, make_report(), tmp_path)) == 0


def test_characters_have_identities_where_a_store_was_asked(tmp_path):
    report = make_report(FACES, heads=["sex", "age", "ethnicity"])
    assert "identity_id" not in table(characters, report, tmp_path)
    persons = tuple(
        replace(p, identity_id=n) for p, n in zip(report.persons, (17, None, 4), strict=True)
    )
    report = replace(report, persons=persons, is_remembered=True)
    rows = table(characters, report, tmp_path, dtype=str, keep_default_na=False)
    assert rows.columns[-2:].tolist() == ["identity_id", "corrected"]
    assert rows["identity_id"].tolist() == ["17", "", "4"]
    nobody = replace(make_report(), is_remembered=True)
    assert table(characters, nobody, tmp_path).columns[-2] == "identity_id"


def test_characters_show_ethnicity_with_its_share(tmp_path):
    rows = table(characters, make_report(FACES, heads=["sex", "age", "ethnicity"]), tmp_path)
    assert rows.columns[-3:-1].tolist() == ["ethnicity_label", "ethnicity_share"]
    assert rows["ethnicity_share"].tolist() == [0.6] * 3


@pytest.mark.parametrize("exporter", [csv, characters])
def test_a_file_that_cannot_be_written(exporter, tmp_path):
    with pytest.raises(ResourceError, match="cannot be written"):
        write(exporter, make_report(FACES), tmp_path / "nowhere")
